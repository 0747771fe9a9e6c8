//! A gateway with a few keys and rules.

use http::{Request, Response, request};
use tollgate::{ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord, Requirement};
use tollgate_gateway::{Gateway, GatewayBuilder, Rule};

/// Keys of `user_7`, with the scope `read:sites`, and of `user_8`, who may also write; and an unknown key.
pub(crate) struct Keys {
    pub(crate) reader: String,
    pub(crate) writer: String,
    pub(crate) unknown: String,
}

/// Public paths, paths that require scopes, and paths that require a key.
pub(crate) fn gateway() -> (GatewayBuilder, Keys) {
    let format = KeyFormat::new("tg", "test").unwrap();
    let [reader, writer, unknown] = std::array::from_fn(|_| ApiKey::generate(&format).unwrap());
    let table = ApiKeyTable::new(format);
    table.insert(&reader, KeyRecord::api_key("key_1", "user_7").scopes(["read:sites"]));
    table.insert(&writer, KeyRecord::api_key("key_2", "user_8").scopes(["read:sites", "write:sites"]));
    let engine = Engine::builder().api_keys(table).build().unwrap();
    let scope = |scope| Requirement::scope(scope);
    let gateway = Gateway::builder(engine)
        .rule(Rule::new(["/", "/assets/*"]).unwrap().public())
        .rule(
            Rule::new(["/sites", "/sites/*"]).unwrap().methods(["GET"]).unwrap().require(scope("read:sites")).unwrap(),
        )
        .rule(Rule::new(["/sites/*"]).unwrap().methods(["PUT"]).unwrap().require(scope("write:sites")).unwrap())
        .rule(Rule::new(["/account"]).unwrap());
    let text = |key: &ApiKey| key.as_str().to_owned();
    (gateway, Keys { reader: text(&reader), writer: text(&writer), unknown: text(&unknown) })
}

/// nginx's authorization request about a request.
pub(crate) fn nginx(method: &str, uri: &str) -> request::Builder {
    Request::get("/nginx")
        .header("x-original-method", method)
        .header("x-original-host", "example.com")
        .header("x-original-uri", uri)
}

pub(crate) async fn answer(gateway: &Gateway, question: request::Builder) -> Response<String> {
    gateway.answer(question.body(()).unwrap(), [127, 0, 0, 1].into()).await
}

pub(crate) async fn status(gateway: &Gateway, question: request::Builder) -> u16 {
    answer(gateway, question).await.status().as_u16()
}
