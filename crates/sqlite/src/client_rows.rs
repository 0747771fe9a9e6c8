use crate::change_rows;
use crate::error::SqliteError;
use rusqlite::{Connection, params};
use tollgate_storage::{
    CertificateSubject, Change, Client, ClientAuthMethod, ClientKeys, ClientKind, ClientSettings, RedirectUri,
    StorageError, SubjectName,
};

pub(crate) fn put(connection: &Connection, client: &Client) -> Result<(), SqliteError> {
    let settings = client.settings();
    connection
        .prepare_cached(
            "INSERT INTO clients (id, name, scopes, created_at, kind, grants, auth_method, user_scopes, is_operators_own,
                                  is_disabled, post_logout_redirect_uris, backchannel_logout_uri, jwks,
                                  requires_pushed_requests, is_dpop_bound, certificate_name, certificate_value,
                                  is_certificate_bound)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
             ON CONFLICT (id) DO UPDATE SET name = ?2, scopes = ?3, created_at = ?4, kind = ?5, grants = ?6, auth_method = ?7,
                                            user_scopes = ?8, is_operators_own = ?9, is_disabled = ?10,
                                            post_logout_redirect_uris = ?11, backchannel_logout_uri = ?12, jwks = ?13,
                                            requires_pushed_requests = ?14, is_dpop_bound = ?15, certificate_name = ?16,
                                            certificate_value = ?17, is_certificate_bound = ?18",
        )?
        .execute(params![
            client.id(),
            client.name(),
            client.scopes(),
            client.created_at(),
            settings.kind.as_str(),
            settings.grant_names(),
            settings.auth_method.as_str(),
            &settings.user_scopes,
            settings.is_operators_own,
            settings.is_disabled,
            settings.post_logout_redirect_uri_list(),
            settings.backchannel_logout_uri.as_ref().map(RedirectUri::as_str),
            settings.jwks.as_ref().map(ClientKeys::as_str),
            settings.requires_pushed_requests,
            settings.is_dpop_bound,
            settings.certificate_subject.as_ref().map(|subject| subject.name().as_str()),
            settings.certificate_subject.as_ref().map(CertificateSubject::value),
            settings.is_certificate_bound,
        ])?;
    connection.prepare_cached("DELETE FROM client_redirect_uris WHERE client_id = ?1")?.execute([client.id()])?;
    let mut insert = connection
        .prepare_cached("INSERT INTO client_redirect_uris (client_id, position, redirect_uri) VALUES (?1, ?2, ?3)")?;
    for (position, uri) in (0_i64..).zip(client.redirect_uris()) {
        insert.execute((client.id(), position, uri.as_str()))?;
    }
    change_rows::client(connection, client.id())
}

pub(crate) fn remove(connection: &Connection, id: &str) -> Result<(), SqliteError> {
    connection.prepare_cached("DELETE FROM clients WHERE id = ?1")?.execute([id])?;
    change_rows::client(connection, id)
}

pub(crate) fn by_id(connection: &Connection, id: &str) -> Result<Option<Client>, SqliteError> {
    let mut select = connection.prepare_cached("SELECT * FROM clients WHERE id = ?1")?;
    let mut rows = select.query([id])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let (name, scopes): (String, String) = (row.get("name")?, row.get("scopes")?);
    let redirect_uris: Vec<String> = connection
        .prepare_cached("SELECT redirect_uri FROM client_redirect_uris WHERE client_id = ?1 ORDER BY position")?
        .query_map([id], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let corrupt = || SqliteError::corrupt("clients", id);
    let text = |column| row.get::<_, String>(column);
    let settings = ClientSettings {
        kind: ClientKind::from_name(&text("kind")?).ok_or_else(corrupt)?,
        grants: ClientSettings::grants_from(&text("grants")?).ok_or_else(corrupt)?,
        auth_method: ClientAuthMethod::from_name(&text("auth_method")?).ok_or_else(corrupt)?,
        user_scopes: text("user_scopes")?,
        post_logout_redirect_uris: ClientSettings::redirect_uris_from(&text("post_logout_redirect_uris")?)
            .ok_or_else(corrupt)?,
        backchannel_logout_uri: row
            .get::<_, Option<String>>("backchannel_logout_uri")?
            .map(|uri| RedirectUri::new(uri).map_err(|_| corrupt()))
            .transpose()?,
        is_operators_own: row.get("is_operators_own")?,
        is_disabled: row.get("is_disabled")?,
        requires_pushed_requests: row.get("requires_pushed_requests")?,
        is_dpop_bound: row.get("is_dpop_bound")?,
        is_certificate_bound: row.get("is_certificate_bound")?,
        jwks: row.get::<_, Option<String>>("jwks")?.map(ClientKeys::new).transpose().map_err(|_| corrupt())?,
        certificate_subject: row
            .get::<_, Option<String>>("certificate_name")?
            .map(|name| {
                let name = SubjectName::from_name(&name).ok_or_else(corrupt)?;
                CertificateSubject::new(name, text("certificate_value")?).map_err(|_| corrupt())
            })
            .transpose()?,
    };
    let client = Client::new(id, &name, &scopes, redirect_uris, row.get("created_at")?);
    Ok(Some(client.and_then(|client| client.with(settings)).map_err(|_| corrupt())?))
}

/// The change for a client that [`by_id`] cannot read.
pub(crate) fn unreadable(id: String) -> Change {
    Change::Unreadable { table: "clients", row: id.clone(), digest: None, client_id: Some(id) }
}

/// The clients after `after` in the order of their ids; an error for each that cannot be read.
pub(crate) fn page(
    connection: &Connection,
    after: &str,
    max: usize,
) -> Result<Vec<Result<Client, StorageError>>, SqliteError> {
    let ids: Vec<String> = connection
        .prepare_cached("SELECT id FROM clients WHERE id > ?1 ORDER BY id LIMIT ?2")?
        .query_map((after, i64::try_from(max).unwrap_or(i64::MAX)), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut clients = Vec::new();
    for id in ids {
        match by_id(connection, &id) {
            Ok(client) => clients.extend(client.map(Ok)),
            Err(error) if error.is_of_one_row() => {
                clients.push(Err(StorageError::Corrupt { table: "clients", row: id }));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(clients)
}
