## Service A: sessions and sites

# A session for an API key -> 200, the session token in meta.jwt
curl -isSw '\n' -X POST "$URL/api/v2/sessions" -H "Authorization: $API_KEY"

# A session for e-mail and password -> 200, and data tells whether there is an API key
curl -isSw '\n' "$URL/api/v2/sessions" -H "$JSON" -d '{"session":{"email":"'"$EMAIL"'","password":"'"$PASSWORD"'"}}'

# The user's sites, with the raw session token -> 200, two sites
curl -isSw '\n' "$URL/api/v2/sites" -H "Authorization: $SESSION_TOKEN"

# The same with Bearer -> 200, two sites
curl -isSw '\n' "$URL/api/v2/sites" -H "Authorization: Bearer $SESSION_TOKEN"

# The same with the raw API key -> 200, two sites
curl -isSw '\n' "$URL/api/v2/sites" -H "Authorization: $API_KEY"

# The same with the API key as Bearer -> 200, two sites
curl -isSw '\n' "$URL/api/v2/sites" -H "Authorization: Bearer $API_KEY"

# The same with the API key in a header of its own -> 200, two sites
curl -isSw '\n' "$URL/api/v2/sites" -H "X-API-Key: $API_KEY"

## Service A: what fails

# No credential -> 401, challenge Bearer
curl -isSw '\n' "$URL/api/v2/sites"

# Garbage -> 401 invalid_token
curl -isSw '\n' "$URL/api/v2/sites" -H "Authorization: Bearer nonsense"

# A token without its signature -> 401 invalid_token
curl -isSw '\n' "$URL/api/v2/sites" -H "Authorization: Bearer ${SESSION_TOKEN%.*}."

# An expired token -> 401 invalid_token
curl -isSw '\n' "$URL/api/v2/sites" -H "Authorization: Bearer $EXPIRED_TOKEN"

# A mistyped API key -> 401 invalid_token
curl -isSw '\n' "$URL/api/v2/sites" -H "Authorization: ${API_KEY%?}"

# An API key that was rotated away -> 401 invalid_token
curl -isSw '\n' "$URL/api/v2/sites" -H "Authorization: $REPLACED_API_KEY"

# Two credentials at once -> 400 invalid_request
curl -isSw '\n' "$URL/api/v2/sites" -H "Authorization: $API_KEY" -H "X-API-Key: $API_KEY"

# A client's token, which lacks read:sites -> 403 insufficient_scope
curl -isSw '\n' "$URL/api/v2/sites" -H "Authorization: Bearer $ACCESS_TOKEN"

# A wrong password -> 401 invalid_credentials
curl -isSw '\n' "$URL/api/v2/sessions" -H "$JSON" -d '{"session":{"email":"'"$EMAIL"'","password":"guess"}}'

# No credential for a session -> 401, challenge Bearer
curl -isSw '\n' -X POST "$URL/api/v2/sessions"

# A session token for a session: it must end some time -> 401 invalid_token
curl -isSw '\n' -X POST "$URL/api/v2/sessions" -H "Authorization: Bearer $SESSION_TOKEN"

# A body that is no JSON -> 400 invalid_request
curl -isSw '\n' "$URL/api/v2/sessions" -H "$JSON" -d 'email=ada'

## Service A: API keys

# The profile -> 200, with the ids of the API keys
curl -isSw '\n' "$URL/api/v2/profile" -H "Authorization: Bearer $SESSION_TOKEN"

# Rotate the API key (of another user, so that the lines above keep working) -> 201, the new key, shown once
curl -isSw '\n' -X POST "$URL/api/v2/profile/api-key" -H "Authorization: Bearer $OTHER_SESSION_TOKEN"

# A further API key, with fewer scopes -> 201, the key, shown once
curl -isSw '\n' "$URL/api/v2/api_keys" -H "Authorization: Bearer $SESSION_TOKEN" -H "$JSON" -d '{"api_key":{"name":"phone","scope":"read:sites"}}'

# The API keys, never the secrets -> 200, a list
curl -isSw '\n' "$URL/api/v2/api_keys" -H "Authorization: Bearer $SESSION_TOKEN"

# A further API key that would do more than the user may -> 403 insufficient_scope
curl -isSw '\n' "$URL/api/v2/api_keys" -H "Authorization: Bearer $SESSION_TOKEN" -H "$JSON" -d '{"api_key":{"name":"phone","scope":"read:reports"}}'

# Where the user is logged in -> 200, a list
curl -isSw '\n' "$URL/api/v2/sessions" -H "Authorization: Bearer $SESSION_TOKEN"

# What the user lets sites have -> 200, a list
curl -isSw '\n' "$URL/api/v2/consents" -H "Authorization: Bearer $SESSION_TOKEN"

# The profile of a client, which has none -> 403 access_denied
curl -isSw '\n' "$URL/api/v2/profile" -H "Authorization: Bearer $ACCESS_TOKEN"

## Service A: log in once, for every site

# The blog sends its visitor here -> 200, the login form
curl -isSw '\n' "$BLOG_REQUEST"

# The visitor logs in -> 303 to the page that asks for consent, and a session cookie
curl -isSw '\n' "$URL/oauth/v2/login" -b "$FORM_COOKIE=$FORM_TOKEN" -d "form_token=$FORM_TOKEN" -d "email=$EMAIL" -d "password=$PASSWORD" -d "${BLOG_REQUEST#*\?}"

# The visitor lets the blog in -> 303 to the blog with a code
curl -isSw '\n' "$URL/oauth/v2/consent" -b "$FORM_COOKIE=$FORM_TOKEN; $SESSION_COOKIE=$LOGIN" -d "$CONSENT"

# The blog exchanges the code -> 200, an access token for the user
curl -isSw '\n' "$URL/oauth/v2/token" -u "blog:$BLOG_SECRET" -d grant_type=authorization_code -d "redirect_uri=$BLOG_REDIRECT" -d "code_verifier=$CODE_VERIFIER" -d code="$(curl -isS "$URL/oauth/v2/consent" -b "$FORM_COOKIE=$FORM_TOKEN; $SESSION_COOKIE=$LOGIN" -d "$CONSENT" | sed -n 's/.*[?&]code=\([^&]*\).*/\1/p')"

# The shop, which is the operator's own, sends the same visitor, who is logged in already -> 303 to the shop with a code, no form
curl -isSw '\n' "$SHOP_REQUEST" -b "$SESSION_COOKIE=$LOGIN"

# The visitor does not let the blog in -> 303 to the blog with the error access_denied
curl -isSw '\n' "$URL/oauth/v2/consent" -b "$FORM_COOKIE=$FORM_TOKEN; $SESSION_COOKIE=$LOGIN" -d "${CONSENT%allow}deny"

# Another verifier than the challenge's -> 400 invalid_grant
curl -isSw '\n' "$URL/oauth/v2/token" -u "blog:$BLOG_SECRET" -d grant_type=authorization_code -d "redirect_uri=$BLOG_REDIRECT" -d code_verifier=another-verifier-another-verifier-another-v -d code="$(curl -isS "$URL/oauth/v2/consent" -b "$FORM_COOKIE=$FORM_TOKEN; $SESSION_COOKIE=$LOGIN" -d "$CONSENT" | sed -n 's/.*[?&]code=\([^&]*\).*/\1/p')"

# A code that was used before -> 400 invalid_grant
curl -isSw '\n' "$URL/oauth/v2/token" -u "blog:$BLOG_SECRET" -d grant_type=authorization_code -d "redirect_uri=$BLOG_REDIRECT" -d "code_verifier=$CODE_VERIFIER" -d "code=$USED_CODE"

# A redirect URI that the blog did not register -> 400, and no redirect
curl -isSw '\n' "$BLOG_REQUEST-elsewhere"

# A token for the resources of somebody else -> 303 to the blog with the error invalid_target
curl -isSw '\n' "$BLOG_REQUEST&resource=https://api.example.com"

# A form that another site made up -> 403, the form again
curl -isSw '\n' "$URL/oauth/v2/login" -d "email=$EMAIL" -d "password=$PASSWORD" -d "${BLOG_REQUEST#*\?}"

## Administration

# All API keys, two a page -> 200, and meta has the next page's token
curl -isSw '\n' -G "$URL/api/v2/admin/api-keys" -H "Authorization: $ADMIN_KEY" -d limit=2

# A key for anybody, for any scope -> 201, the key, shown once
curl -isSw '\n' "$URL/api/v2/admin/api-keys" -H "Authorization: $ADMIN_KEY" -H "$JSON" -d '{"api_key":{"subject":"account-7","name":"deploy","scope":"read:reports"}}'

# Switch a key off -> 200, disabled
curl -isSw '\n' -X POST "$URL/api/v2/admin/api-keys/$SWITCHED_KEY_ID/disable" -H "Authorization: $ADMIN_KEY"

# Switch it on again -> 200, active
curl -isSw '\n' -X POST "$URL/api/v2/admin/api-keys/$SWITCHED_KEY_ID/enable" -H "Authorization: $ADMIN_KEY"

# Rotate a key, the old one going on for a day -> 201, the new key, shown once
curl -isSw '\n' "$URL/api/v2/admin/api-keys/$ROTATED_KEY_ID/rotate" -H "Authorization: $ADMIN_KEY" -H "$JSON" -d '{"overlap_seconds":86400}'

# Revoke a key -> 200, revoked
curl -isSw '\n' -X POST "$URL/api/v2/admin/api-keys/$REVOKED_KEY_ID/revoke" -H "Authorization: $ADMIN_KEY"

# The clients -> 200, a list without secrets
curl -isSw '\n' "$URL/api/v2/admin/clients" -H "Authorization: $ADMIN_KEY"

# The users -> 200, a list
curl -isSw '\n' "$URL/api/v2/admin/users" -H "Authorization: $ADMIN_KEY"

# A new secret for a client, the old one going on for an hour -> 201, the secret, shown once
curl -isSw '\n' "$URL/api/v2/admin/clients/spare-client/rotate-secret" -H "Authorization: $ADMIN_KEY" -H "$JSON" -d '{"overlap_seconds":3600}'

# Revoke all that somebody was issued before a time -> 201
curl -isSw '\n' "$URL/api/v2/admin/revocations" -H "Authorization: $ADMIN_KEY" -H "$JSON" -d '{"revocation":{"kind":"subject","name":"account-9","issued_before":"2026-01-01T00:00:00Z"}}'

# The same for a user, who is no administrator -> 403 insufficient_scope
curl -isSw '\n' "$URL/api/v2/admin/api-keys" -H "Authorization: $API_KEY"

## Service B: client credentials

# A token for client id and secret, by Basic -> 200, access_token for an hour
curl -isSw '\n' "$URL/oauth/v2/token" -u "reports-client:$CLIENT_SECRET" -d grant_type=client_credentials

# The same with the secret in the form -> 200, access_token for an hour
curl -isSw '\n' "$URL/oauth/v2/token" -d grant_type=client_credentials -d client_id=reports-client -d "client_secret=$CLIENT_SECRET"

# A token that may do less -> 200, scope read:reports
curl -isSw '\n' "$URL/oauth/v2/token" -u "reports-client:$CLIENT_SECRET" -d grant_type=client_credentials -d scope=read:reports

# The reports, with the token -> 200, the reports
curl -isSw '\n' "$URL/api/v2/reports" -H "Authorization: Bearer $ACCESS_TOKEN"

## Service B: what fails

# A wrong secret -> 401 invalid_client, challenge Basic
curl -isSw '\n' "$URL/oauth/v2/token" -u reports-client:wrong -d grant_type=client_credentials

# The reports, with id and secret themselves -> 401 unauthorized
curl -isSw '\n' "$URL/api/v2/reports" -u "reports-client:$CLIENT_SECRET"

# Another client's secret -> 401 invalid_client, challenge Basic
curl -isSw '\n' "$URL/oauth/v2/token" -u "blog:$CLIENT_SECRET" -d grant_type=client_credentials

# A user's API key for a secret -> 401 invalid_client, challenge Basic
curl -isSw '\n' "$URL/oauth/v2/token" -u "reports-client:$API_KEY" -d grant_type=client_credentials

# More scope than the client may have -> 400 invalid_scope
curl -isSw '\n' "$URL/oauth/v2/token" -u "reports-client:$CLIENT_SECRET" -d grant_type=client_credentials -d scope=read:sites

# A token for the resources of somebody else -> 400 invalid_target
curl -isSw '\n' "$URL/oauth/v2/token" -u "reports-client:$CLIENT_SECRET" -d grant_type=client_credentials -d resource=https://api.example.com

# Another grant -> 400 unsupported_grant_type
curl -isSw '\n' "$URL/oauth/v2/token" -u "reports-client:$CLIENT_SECRET" -d grant_type=password

# A parameter twice -> 400 invalid_request
curl -isSw '\n' "$URL/oauth/v2/token" -u "reports-client:$CLIENT_SECRET" -d grant_type=client_credentials -d scope=a -d scope=b

# No token -> 401, challenge Bearer
curl -isSw '\n' "$URL/api/v2/reports"

# A token without read:reports -> 403 insufficient_scope
curl -isSw '\n' "$URL/api/v2/reports" -H "Authorization: Bearer $NARROW_ACCESS_TOKEN"

# A user's session token -> 403 insufficient_scope
curl -isSw '\n' "$URL/api/v2/reports" -H "Authorization: Bearer $SESSION_TOKEN"

## What anybody may read

# The public keys -> 200, a JWKS
curl -isSw '\n' "$URL/.well-known/jwks.json"

# The authorization server -> 200, RFC 8414
curl -isSw '\n' "$URL/.well-known/oauth-authorization-server"

# The protected resource -> 200, RFC 9728
curl -isSw '\n' "$URL/.well-known/oauth-protected-resource"

# Is it up -> 200, ok
curl -isSw '\n' "$URL/healthz"

# Something else -> 404 not_found
curl -isSw '\n' "$URL/api/v1/sites"
