use crate::Outcome;
use crate::connection::Connection;
use crate::load::CONNECTIONS;
use crate::person::{PASSWORD, Person};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use tollgate_service::{Config, Server, StoreUrl};
use tollgate_storage::{Client, ClientSettings, GrantType};

const REDIRECT_URI: &str = "https://app.example/callback";

// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A running authorization server with the client `app`; dropping the value ends it.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    process: Child,
    /// Kept open: oidc-provider writes to it later on.
    _output: BufReader<ChildStdout>,
    origin: String,
    token_endpoint: String,
    /// The line of the head by which the client authenticates: RFC 6749 section 2.3.1.
    authorization: String,
    codes: Codes,
}

/// Who makes authorization codes. They are made before what is measured.
enum Codes {
    /// One for each connection.
    People(Vec<Person>),
    /// A path of the server, which is made for this.
    Path(&'static str),
}

impl Target {
    pub(crate) fn tollgate(name: &'static str, store: &str) -> Outcome<Self> {
        let mut target = Self::start(name, Command::new(std::env::current_exe()?).args(["serve", store]))?;
        let people = (0..CONNECTIONS).map(|n| Person::log_in(&target.origin, &authorization_request(), &email(n)));
        target.codes = Codes::People(people.collect::<Outcome<_>>()?);
        Ok(target)
    }

    pub(crate) fn oidc_provider(name: &'static str) -> Outcome<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/token_load/oidc_provider");
        let installed = Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund"])
            .current_dir(&folder)
            .stdout(Stdio::null())
            .status()?;
        if !installed.success() {
            return Err("npm did not install oidc-provider".into());
        }
        Self::start(name, Command::new("node").arg("server.mjs").env("NODE_ENV", "production").current_dir(&folder))
    }

    fn start(name: &'static str, command: &mut Command) -> Outcome<Self> {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (mut line, mut output) = (String::new(), BufReader::new(process.stdout.take().ok_or("no output")?));
        output.read_line(&mut line)?;
        let told: Value = serde_json::from_str(&line)?;
        let text =
            |member: &str| told[member].as_str().map(str::to_owned).ok_or_else(|| format!("no {member} in {told}"));
        let credentials = base64_simd::STANDARD.encode_to_string(format!("app:{}", text("secret")?));
        Ok(Self {
            name,
            process,
            _output: output,
            origin: text("origin")?,
            token_endpoint: text("token_endpoint")?,
            authorization: format!("authorization: Basic {credentials}\r\n"),
            codes: Codes::Path("/codes"),
        })
    }

    pub(crate) fn connect(&self) -> Outcome<Connection> {
        Connection::open(&self.origin)
    }

    /// The answer's `member`, for that form.
    pub(crate) fn token(&self, connection: &mut Connection, form: &str, member: &str) -> Outcome<String> {
        connection.send(&self.token_endpoint, &self.authorization, Some(form))?.member(member)
    }

    /// Forms with an authorization code each: so many for each connection, each of another user.
    pub(crate) fn codes(&mut self, of_each: usize) -> Outcome<Vec<Vec<String>>> {
        let codes = match &mut self.codes {
            Codes::People(people) => {
                let of = |person: &mut Person| (0..of_each).map(|_| person.code(&authorization_request())).collect();
                people.iter_mut().map(of).collect::<Outcome<Vec<Vec<String>>>>()?
            }
            Codes::Path(path) => {
                let query = format!("{path}?users={CONNECTIONS}&of_each={of_each}");
                serde_json::from_str(&Connection::open(&self.origin)?.send(&query, "", None)?.body)?
            }
        };
        let form = |code| {
            format!("grant_type=authorization_code&code={code}&redirect_uri={REDIRECT_URI}&code_verifier={VERIFIER}")
        };
        Ok(codes.into_iter().map(|codes| codes.into_iter().map(form).collect()).collect())
    }

    /// Refresh tokens of a grant each, one for each connection.
    pub(crate) fn refresh_tokens(&mut self) -> Outcome<Vec<String>> {
        let forms = self.codes(1)?;
        let mut connection = self.connect()?;
        forms.iter().flatten().map(|form| self.token(&mut connection, form, "refresh_token")).collect()
    }

    /// The time that the process has run, in seconds.
    pub(crate) fn processor_seconds(&self) -> Outcome<f64> {
        let mut nanoseconds = 0_u64;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            let times = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            nanoseconds += times.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
        Ok(nanoseconds as f64 / 1e9)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn email(n: usize) -> String {
    format!("user{n}@example.com")
}

fn authorization_request() -> String {
    format!(
        "/oauth/v2/authorize?response_type=code&client_id=app&redirect_uri={REDIRECT_URI}&scope=read:sites\
         &code_challenge={CHALLENGE}&code_challenge_method=S256"
    )
}

/// The reference service in this process, until it is killed.
pub(crate) fn serve(store: &str) -> Outcome {
    let config =
        Config { store: Some(StoreUrl::parse(Path::new(store))?), listen: "127.0.0.1:0".parse()?, ..Config::default() };
    tokio::runtime::Runtime::new()?.block_on(async {
        let server = Server::bind(config).await?;
        let accounts = server.accounts().clone();
        let secret = tokio::task::spawn_blocking(move || {
            for n in 0..CONNECTIONS {
                accounts.add_user(&email(n), PASSWORD, "read:sites")?;
            }
            let client = Client::new("app", "App", "read:sites", [REDIRECT_URI], 0)?;
            let settings = ClientSettings {
                grants: vec![GrantType::ClientCredentials, GrantType::AuthorizationCode, GrantType::RefreshToken],
                user_scopes: "read:sites".into(),
                is_operators_own: true,
                ..client.settings().clone()
            };
            let secret = accounts.register_client(&client.with(settings)?)?.ok_or("no secret")?.secret;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(secret)
        });
        let secret = secret.await?.map_err(|error| error.to_string())?;
        let told = json!({
            "origin": format!("http://{}", server.local_addr()), "secret": secret.as_str(), "token_endpoint": "/oauth/v2/token",
        });
        println!("{told}");
        server.run(std::future::pending()).await?;
        Ok(())
    })
}
