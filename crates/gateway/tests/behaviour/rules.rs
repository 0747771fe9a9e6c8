//! The selection of a rule, and the content of an answer.

use http::Request;
use tollgate::{Engine, Issuer, Requirement};
use tollgate_gateway::{Gateway, GatewayError, Identity, Rule};
use tollgate_tests::{Draft, NOW, issuer, signing_key};

use crate::support::{answer, gateway, nginx, status};

#[tokio::test]
async fn the_first_rule_that_covers_a_request_decides() {
    let (builder, keys) = gateway();
    let gateway = builder.build().unwrap();
    let with = |method, uri, key: &str| status(&gateway, nginx(method, uri).header("authorization", key));
    assert_eq!(with("GET", "/sites/7", &keys.reader).await, 200);
    assert_eq!(with("GET", "/sites?page=2", &keys.reader).await, 200);
    assert_eq!(with("PUT", "/sites/7", &keys.reader).await, 403);
    assert_eq!(with("PUT", "/sites/7", &keys.writer).await, 200);
    assert_eq!(with("GET", "/sites/7", &keys.unknown).await, 401);
    assert_eq!(status(&gateway, nginx("GET", "/sites/7")).await, 401);
    assert_eq!(with("GET", "/account", &keys.reader).await, 200);
    assert_eq!(status(&gateway, nginx("GET", "/account")).await, 401);
}

#[tokio::test]
async fn what_no_rule_covers_is_denied_with_any_credential() {
    let (builder, keys) = gateway();
    let gateway = builder.build().unwrap();
    for (method, uri) in
        [("DELETE", "/sites/7"), ("get", "/sites/7"), ("PUT", "/sites"), ("GET", "/Account"), ("GET", "/account/")]
    {
        let answer = answer(&gateway, nginx(method, uri).header("authorization", &keys.writer)).await;
        assert_eq!(
            (answer.status().as_u16(), answer.body().as_str()),
            (403, r#"{"error":"no-rule"}"#),
            "{method} {uri}"
        );
    }
}

#[tokio::test]
async fn hosts_are_compared_without_port_case_and_final_dot() {
    let (builder, keys) = gateway();
    let rule = Rule::new(["/host"]).unwrap().hosts(["example.com", "[::1]"]).unwrap();
    let gateway = builder.rule(rule).build().unwrap();
    let to = |host: &str| {
        let question = nginx("GET", "/host").header("authorization", &keys.reader);
        let mut question = question.body(()).unwrap();
        question.headers_mut().insert("x-original-host", host.parse().unwrap());
        let gateway = &gateway;
        async move { gateway.answer(question, [127, 0, 0, 1].into()).await.status().as_u16() }
    };
    for host in ["example.com", "EXAMPLE.com:8443", "example.com.", "[::1]", "[::1]:80"] {
        assert_eq!(to(host).await, 200, "{host}");
    }
    for host in ["example.org", "example.com.evil.org", "example.com@evil.org", "example.com:evil", "", "[::1", "a b"] {
        assert_eq!(to(host).await, 403, "{host}");
    }
}

#[tokio::test]
async fn each_convention_reads_its_own_fields_alone() {
    let (builder, keys) = gateway();
    let gateway = builder.build().unwrap();
    let key = |question: http::request::Builder| question.header("authorization", &keys.reader);
    let forward = || {
        let question = Request::get("/forward").header("x-forwarded-method", "GET");
        question.header("x-forwarded-host", "example.com").header("x-forwarded-uri", "/sites/7")
    };
    assert_eq!(status(&gateway, key(forward())).await, 200);
    // A client's own field, which the proxy has not replaced because it has none of that name.
    assert_eq!(status(&gateway, key(forward().header("x-original-uri", "/"))).await, 200);
    assert_eq!(status(&gateway, forward().header("x-original-uri", "/")).await, 401);
    let envoy = |path: &str| Request::get(path).header("host", "example.com");
    assert_eq!(status(&gateway, key(envoy("/envoy/sites/7?page=2"))).await, 200);
    assert_eq!(status(&gateway, envoy("/envoy/sites/7").header("x-forwarded-uri", "/")).await, 401);
    assert_eq!(status(&gateway, key(Request::put("/envoy/sites/7").header("host", "example.com"))).await, 403);
    assert_eq!(status(&gateway, envoy("/envoy/")).await, 200);
    for elsewhere in ["/", "/envoy", "/envoysites/7", "/nginx/", "/forward/x"] {
        assert_eq!(status(&gateway, key(envoy(elsewhere))).await, 404, "{elsewhere}");
    }
}

#[tokio::test]
async fn a87_a_field_that_is_missing_or_there_twice_denies_what_is_public() {
    let (builder, _) = gateway();
    let gateway = builder.build().unwrap();
    assert_eq!(status(&gateway, nginx("GET", "/")).await, 200);
    for field in ["x-original-method", "x-original-host", "x-original-uri"] {
        let mut missing = nginx("GET", "/").body(()).unwrap();
        missing.headers_mut().remove(field);
        let mut twice = nginx("GET", "/").body(()).unwrap();
        let value = twice.headers()[field].clone();
        twice.headers_mut().append(field, value);
        for question in [missing, twice] {
            let answer = gateway.answer(question, [127, 0, 0, 1].into()).await;
            assert_eq!(
                (answer.status().as_u16(), answer.body().as_str()),
                (403, r#"{"error":"undecidable"}"#),
                "{field}"
            );
        }
    }
}

#[tokio::test]
async fn a87_a_grpc_client_is_denied_by_a_status_that_denies() {
    let (builder, keys) = gateway();
    let gateway = builder.build().unwrap();
    for media_type in ["application/grpc", "application/grpc+proto", "application/grpc;x=y"] {
        let grpc = |method, uri| nginx(method, uri).header("content-type", media_type);
        let without = answer(&gateway, grpc("GET", "/account")).await;
        assert_eq!(without.status(), 401, "{media_type}");
        assert!(without.headers().contains_key("www-authenticate"), "{media_type}");
        let with = |method, uri, key: &str| status(&gateway, grpc(method, uri).header("authorization", key));
        assert_eq!(with("GET", "/account", &keys.unknown).await, 401, "{media_type}");
        assert_eq!(with("PUT", "/sites/7", &keys.reader).await, 403, "{media_type}");
        assert_eq!(with("GET", "/account", &keys.reader).await, 200, "{media_type}");
    }
}

#[tokio::test]
async fn a87_every_identity_field_is_in_every_answer_that_lets_pass() {
    let (builder, keys) = gateway();
    let gateway = builder.build().unwrap();
    let fields = |answer: http::Response<String>| {
        ["user", "issuer", "client", "scopes", "kind"].map(|name| {
            let value = answer.headers().get(format!("x-auth-request-{name}"));
            value.map(|value| value.to_str().unwrap().to_owned())
        })
    };
    let some = |text: &str| Some(text.to_owned());
    let known = answer(&gateway, nginx("GET", "/account").header("authorization", &keys.writer)).await;
    assert_eq!(fields(known), [some("user_8"), some(""), some(""), some("read:sites write:sites"), some("api-key")]);
    let public = answer(&gateway, nginx("GET", "/").header("authorization", &keys.writer)).await;
    assert_eq!(fields(public), std::array::from_fn(|_| some("")));
    assert_eq!(fields(answer(&gateway, nginx("GET", "/account")).await), std::array::from_fn(|_| None));
}

#[tokio::test]
async fn claims_are_said_as_one_reading_or_not_at_all() {
    let key = signing_key(tollgate::Algorithm::EdDSA, 0);
    let engine = Engine::builder().issuer(issuer([&key])).clock(|| NOW).build().unwrap();
    let gateway = Gateway::builder(engine)
        .rule(Rule::new(["/*"]).unwrap())
        .identity([("x-claim", "/claim/0".parse().unwrap()), ("remote-user", Identity::Subject)])
        .unwrap()
        .build()
        .unwrap();
    let said = |claim: serde_json::Value| {
        let token = Draft::new(&key).claim("claim", serde_json::json!([claim])).sign(&key);
        let question = nginx("GET", "/x").header("authorization", format!("Bearer {token}"));
        let gateway = &gateway;
        async move {
            let answer = answer(gateway, question).await;
            let value = answer.headers().get("x-claim").map(|value| value.to_str().unwrap().to_owned());
            (answer.status().as_u16(), value)
        }
    };
    let passes = |text: &str| (200, Some(text.to_owned()));
    assert_eq!(said("jo@example.com".into()).await, passes("jo@example.com"));
    assert_eq!(said(7.into()).await, passes("7"));
    assert_eq!(said(true.into()).await, passes("true"));
    assert_eq!(said(serde_json::Value::Null).await, passes(""));
    assert_eq!(said(serde_json::json!(["admin", "dev"])).await, passes("admin,dev"));
    for unsayable in [
        serde_json::json!("jö"),
        serde_json::json!("a\r\nx-claim: b"),
        serde_json::json!(" admin"),
        serde_json::json!(["admin,root"]),
        serde_json::json!([["admin"]]),
        serde_json::json!({"admin": true}),
        serde_json::json!("a".repeat(4097)),
    ] {
        assert_eq!(said(unsayable.clone()).await, (403, None), "{unsayable}");
    }
}

#[tokio::test]
async fn rejections_are_those_of_every_door_and_nginx_is_told_403_for_400() {
    let (builder, keys) = gateway();
    let gateway = builder.realm("sites").unwrap().build().unwrap();
    let rejected = answer(&gateway, nginx("GET", "/account")).await;
    assert_eq!(rejected.headers()["www-authenticate"], r#"Bearer realm="sites""#);
    let lacking = answer(&gateway, nginx("PUT", "/sites/7").header("authorization", &keys.reader)).await;
    assert_eq!(
        lacking.headers()["www-authenticate"],
        r#"Bearer realm="sites", error="insufficient_scope", scope="write:sites""#
    );
    let twice = |question: http::request::Builder| {
        question.header("authorization", &keys.reader).header("authorization", &keys.reader)
    };
    assert_eq!(status(&gateway, twice(nginx("GET", "/account"))).await, 403);
    assert_eq!(status(&gateway, twice(Request::get("/envoy/account").header("host", "example.com"))).await, 400);
}

#[test]
fn what_could_not_work_is_refused() {
    let engine =
        || Engine::builder().issuer(Issuer::new("https://as.example/").audience("x").keys(keys())).build().unwrap();
    let build = |rules: Vec<Rule>| {
        let builder = rules.into_iter().fold(Gateway::builder(engine()), tollgate_gateway::GatewayBuilder::rule);
        builder.build().map(|_| ())
    };
    let rule = |path: &str| Rule::new([path]).unwrap();
    assert_eq!(build(vec![]), Err(GatewayError::NoRules));
    let unreachable = |path: &str| Err(GatewayError::Unreachable { path: path.to_owned() });
    assert_eq!(build(vec![rule("/*"), rule("/a")]), unreachable("/a"));
    assert_eq!(build(vec![rule("/a/*"), rule("/a/b/*").methods(["GET"]).unwrap()]), unreachable("/a/b/*"));
    assert_eq!(build(vec![rule("/a/*").methods(["GET"]).unwrap(), rule("/a/b/*")]), Ok(()));
    assert_eq!(build(vec![rule("/*").hosts(["a"]).unwrap(), rule("/*")]), Ok(()));
    assert_eq!(Rule::new([] as [&str; 0]).unwrap_err(), GatewayError::NoPaths);
    for path in
        ["", "a", "/a*", "*", "/a//b", "/a/../b", "/a/./*", "/a%20b", "/a;b", "/a?b", "/a#b", "/a\\b", "/a b", "/ä"]
    {
        assert_eq!(Rule::new([path]).unwrap_err(), GatewayError::InvalidPath { path: path.to_owned() });
    }
    for host in ["", "Example.com", "example.com:80", "example.com.", "a/b", "*.example.com"] {
        assert_eq!(rule("/a").hosts([host]).unwrap_err(), GatewayError::InvalidHost { host: host.to_owned() });
    }
    assert!(rule("/a").methods(["GE T"]).is_err());
    assert!(rule("/a").require(Requirement::all([])).is_err());
    assert!(rule("/a").public().require(Requirement::scope("a")).is_err());
    for name in ["", "a b", "Authorization", "host", "content-length", "cookie"] {
        let identity = Gateway::builder(engine()).identity([(name, Identity::Subject)]);
        assert_eq!(identity.unwrap_err(), GatewayError::InvalidField { name: name.to_owned() });
    }
    let twice = [("x-user", Identity::Subject), ("X-User", Identity::Issuer)];
    assert_eq!(
        Gateway::builder(engine()).identity(twice).unwrap_err(),
        GatewayError::FieldTwice { name: "X-User".to_owned() }
    );
}

fn keys() -> tollgate::KeyRing {
    tollgate_tests::key_set([&signing_key(tollgate::Algorithm::EdDSA, 0)]).into()
}
