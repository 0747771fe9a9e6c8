//! `tollgate explain`: why one credential is accepted or rejected, step by step.

mod advice;
mod pasted;

use std::io::{self, Read};
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use serde::Serialize;
use tollgate::{Dpop, ExplainedStep, Principal, Rejection, StepOutcome};
use tollgate_remote::Verifier;
use zeroize::Zeroizing;

use self::pasted::Pasted;
use super::{Outcome, print};
use crate::configuration::Configured;
use crate::engine_options::EngineOptions;
use crate::error::{CommandError, one_line};
use crate::limits::MAX_LINE_BYTES;
use crate::reason::Reason;
use crate::request_line::RequestLine;
use crate::secret_input::SecretInput;
use crate::stream::write_each;
use crate::verdict::VerdictLine;

/// Explain step by step why a credential is accepted or rejected.
///
/// Standard input is one credential, as copied from a log, a browser or a terminal: the value of the Authorization header,
/// the whole header line, or all header lines of a request. Authorization, X-API-Key, DPoP and the fields of `[request]` are
/// read. Quotes, a carriage return and spaces around the credential are ignored, and the answer says so. The verdict is that
/// of `tollgate verify`. Claims are shown, signatures and secrets are not.
#[derive(Args, Debug)]
#[command(after_help = "\
The options that describe what is accepted are those of `tollgate verify`.

Each step is `ok`, `FAIL` or `-`, which does not decide, and says what was compared with what. The last lines are the verdict, the challenge
that a client gets, and the usual cause. With --json all of it is one line: the members of the answer of `tollgate verify`, `advice`,
and `steps`, each with `step`, `outcome` (passed, failed, noted) and `detail`.

Exit status: 0 accepted, 1 rejected, 2 bad usage or configuration.

Examples:
  echo \"Authorization: Bearer $TOKEN\" |
    tollgate explain --issuer https://as.example --audience https://api.example --jwks jwks.json
  tollgate explain --config tollgate.toml < headers.txt
  tollgate explain --issuer https://as.example --audience https://api.example --alg HS256 --secret-file secret.txt < token.txt
  tollgate explain --config tollgate.toml --method GET --uri https://api.example/sites < headers.txt")]
pub(crate) struct Arguments {
    #[command(flatten)]
    engine: EngineOptions,

    /// Verify at this time, in seconds since the Unix epoch. Default: now
    #[arg(long, value_name = "UNIX", allow_negative_numbers = true)]
    now: Option<i64>,

    /// The peer's address of the request's connection
    #[arg(long, value_name = "ADDR")]
    address: Option<IpAddr>,

    /// The request's method, for a proof of possession
    #[arg(long)]
    method: Option<String>,

    /// The request's absolute URI, for a proof of possession
    #[arg(long)]
    uri: Option<String>,

    /// Answer with one line of JSON
    #[arg(long)]
    json: bool,

    /// The format of standard input
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Input::Pasted)]
    input: Input,
}

/// The format of standard input.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Input {
    /// A credential or header lines, with characters that were copied along
    Pasted,
    /// A request as a JSON object, as a line of `tollgate verify --input request`
    Request,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome, CommandError> {
        let configuration = self.engine.configuration()?;
        let dpop: Dpop = configuration.dpop.dpop().started_at(i64::MIN);
        // Dropped at the end: until then the store is followed.
        let Configured { engine, remote, followed: _followed, .. } = configuration.engine(dpop)?;
        let proxies = configuration.trusted_proxies();
        let input = read()?;
        let (pasted, line) = match self.input {
            Input::Pasted => {
                let Pasted { fields, left_out } = Pasted::read(&input)?;
                (left_out, Ok(RequestLine::of_fields(fields)))
            }
            Input::Request => (Vec::new(), RequestLine::parse(&input)),
        };
        let line = match line {
            Ok(line) => line.or(self.address, self.method.as_deref(), self.uri.as_deref()),
            Err(reason) => return self.answer(&Explained::malformed(reason)),
        };
        let verifier = Verifier::new(engine);
        remote.wait();
        let now = self.now.unwrap_or_else(system_time);
        let certificate = line.certificate(&proxies);
        let request = line.request(&proxies, certificate.clone().unwrap_or_default());
        let verdict = certificate.and_then(|_| remote.verify(&verifier, &request, Some(now)));
        let steps = verifier.engine().explain(&request, verdict.as_ref(), now);
        let mut explained = Explained::of(&verdict);
        explained.steps.extend(pasted.into_iter().map(|left_out| Step::noted("input", left_out)));
        explained.steps.extend(steps.iter().map(Step::from));
        self.answer(&explained)
    }

    fn answer(&self, explained: &Explained<'_>) -> Result<Outcome, CommandError> {
        if self.json {
            write_each([explained])?;
        } else {
            print(&[&explained.text()])?;
        }
        Ok(match explained.verdict {
            VerdictLine::Accepted(_) => Outcome::Accepted,
            VerdictLine::Rejected(_) => Outcome::Rejected,
        })
    }
}

/// All of standard input, up to the length of the longest credential.
fn read() -> Result<Zeroizing<Vec<u8>>, CommandError> {
    let mut input = Zeroizing::new(Vec::with_capacity(MAX_LINE_BYTES + 1));
    let read = SecretInput::new(io::stdin().lock()).take(MAX_LINE_BYTES as u64 + 1).read_to_end(&mut input);
    match read {
        Ok(length) if length > MAX_LINE_BYTES => {
            Err(CommandError::Options("standard input is longer than 1 MiB; give one credential"))
        }
        Ok(_) => Ok(input),
        Err(error) => Err(CommandError::Input(error)),
    }
}

fn system_time() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// The answer.
#[derive(Serialize)]
struct Explained<'v> {
    #[serde(flatten)]
    verdict: VerdictLine<'v>,
    /// The usual cause of the rejection, and the remedy.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
    steps: Vec<Step>,
}

#[derive(Serialize)]
struct Step {
    step: &'static str,
    outcome: &'static str,
    detail: String,
}

impl From<&ExplainedStep> for Step {
    fn from(step: &ExplainedStep) -> Self {
        Step { step: step.name(), outcome: step.outcome().as_str(), detail: step.detail().to_owned() }
    }
}

impl Step {
    fn noted(step: &'static str, detail: &str) -> Self {
        Step { step, outcome: StepOutcome::Noted.as_str(), detail: detail.to_owned() }
    }

    fn mark(&self) -> &'static str {
        match self.outcome {
            "passed" => "ok",
            "failed" => "FAIL",
            _ => "-",
        }
    }
}

impl<'v> Explained<'v> {
    fn of(verdict: &'v Result<Principal, Rejection>) -> Self {
        let advice = verdict.as_ref().err().and_then(|rejection| advice::of(rejection.code()));
        Explained { verdict: VerdictLine::of(verdict), advice, steps: Vec::new() }
    }

    fn malformed(reason: Reason) -> Self {
        let advice = advice::of(reason.error);
        Explained { verdict: VerdictLine::malformed(reason), advice, steps: Vec::new() }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |line: &str| {
            text.push_str(&one_line(line));
            text.push('\n');
        };
        for step in &self.steps {
            line(format!("{:<4}  {:<15}  {}", step.mark(), step.step, step.detail).trim_end());
        }
        line("");
        match &self.verdict {
            VerdictLine::Accepted(accepted) => line(&format!("accepted: {}", accepted.principal)),
            VerdictLine::Rejected(rejected) => {
                line(&format!("rejected: {} {}: {}", rejected.status, rejected.error, rejected.detail));
                if !rejected.challenge.is_empty() {
                    line(&format!("challenge: {}", rejected.challenge));
                }
            }
        }
        if let Some(advice) = &self.advice {
            line(&format!("usual cause: {advice}"));
        }
        text
    }
}
