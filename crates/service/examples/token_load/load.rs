use crate::Outcome;
use crate::connection::Connection;
use crate::target::Target;
use std::collections::VecDeque;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// Requests in flight at once.
pub(crate) const CONNECTIONS: usize = 16;

/// How long a grant is measured where the tokens do not end before.
const MEASURED: Duration = Duration::from_secs(5);

/// Codes of a connection: so few that all are used before they expire.
const CODES: usize = 40;

/// Uses of the refresh tokens of a grant; the service takes no more than this in an hour of which each has an access token.
const REFRESHES_OF_A_GRANT: usize = 900;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Grant {
    ClientCredentials,
    AuthorizationCode,
    RefreshToken,
}

impl Grant {
    pub(crate) const ALL: [Self; 3] = [Self::ClientCredentials, Self::AuthorizationCode, Self::RefreshToken];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client credentials",
            Self::AuthorizationCode => "authorization code",
            Self::RefreshToken => "refresh token",
        }
    }
}

/// What was measured of a grant at a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) tokens_per_second: f64,
    pub(crate) median: Duration,
    /// 99 of 100 answers took no longer.
    pub(crate) p99: Duration,
    /// Of the server's process, without that of its database.
    pub(crate) processor_time_per_token: Duration,
}

/// What a connection sends: the next form, made of the token that the last answer had.
enum Work {
    Same,
    Codes(VecDeque<String>),
    Refresh { token: String, left: usize },
}

impl Work {
    /// Whether there was something left to do.
    fn step(&mut self, target: &Target, connection: &mut Connection) -> Outcome<bool> {
        match self {
            Work::Same => drop(target.token(connection, "grant_type=client_credentials", "access_token")?),
            Work::Codes(forms) => {
                let Some(form) = forms.pop_front() else { return Ok(false) };
                target.token(connection, &form, "access_token")?;
            }
            Work::Refresh { left: 0, .. } => return Ok(false),
            Work::Refresh { token, left } => {
                let form = format!("grant_type=refresh_token&refresh_token={token}");
                *token = target.token(connection, &form, "refresh_token")?;
                *left -= 1;
            }
        }
        Ok(true)
    }
}

pub(crate) fn measure(grant: Grant, target: &mut Target) -> Outcome<Figures> {
    let work: Vec<Work> = match grant {
        Grant::ClientCredentials => (0..CONNECTIONS).map(|_| Work::Same).collect(),
        Grant::AuthorizationCode => target.codes(CODES)?.into_iter().map(|forms| Work::Codes(forms.into())).collect(),
        Grant::RefreshToken => {
            let tokens = target.refresh_tokens()?;
            tokens.into_iter().map(|token| Work::Refresh { token, left: REFRESHES_OF_A_GRANT }).collect()
        }
    };
    let (target, barrier) = (&*target, Barrier::new(work.len() + 1));
    let used_before = target.processor_seconds()?;
    let (took, mut delays) = thread::scope(|scope| {
        let threads: Vec<_> = work
            .into_iter()
            .map(|work| {
                let barrier = &barrier;
                // Errors of a thread have to be sent.
                scope.spawn(move || run(work, target, barrier).map_err(|error| error.to_string()))
            })
            .collect();
        barrier.wait();
        let begun = Instant::now();
        let mut delays = Vec::new();
        for thread in threads {
            delays.extend(thread.join().map_err(|_| "a thread of the load panicked")??);
        }
        Ok::<_, Box<dyn std::error::Error>>((begun.elapsed(), delays))
    })?;
    let used = target.processor_seconds()? - used_before;
    delays.sort_unstable();
    let count = delays.len();
    let at = |part: f64| delays.get((count as f64 * part) as usize).copied().ok_or("no answer at all");
    Ok(Figures {
        tokens_per_second: count as f64 / took.as_secs_f64(),
        median: at(0.5)?,
        p99: at(0.99)?,
        processor_time_per_token: Duration::from_secs_f64(used / count as f64),
    })
}

/// How long each answer took.
fn run(mut work: Work, target: &Target, barrier: &Barrier) -> Outcome<Vec<Duration>> {
    let connection = target.connect();
    barrier.wait();
    let (mut connection, end, mut delays) = (connection?, Instant::now() + MEASURED, Vec::new());
    while Instant::now() < end {
        let begun = Instant::now();
        if !work.step(target, &mut connection)? {
            break;
        }
        delays.push(begun.elapsed());
    }
    Ok(delays)
}
