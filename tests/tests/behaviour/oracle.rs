//! The engine compared with the oracle, over plans from fixed seeds.
//!
//! `TOLLGATE_ORACLE_CASES` sets the number of plans, `TOLLGATE_ORACLE_SEED` the first seed. A disagreement is reduced
//! and printed as a line of JSON; `TOLLGATE_ORACLE_PLAN` with the `plan` of that line tries it again, alone.

use std::collections::BTreeMap;
use std::env;
use std::thread;

use tollgate_oracle::{MutationKind, Plan, PolicyPlan, SenderPlan, Verdict};
use tollgate_tests::agreement::{agree, agree_on_policy, agree_on_sender};

/// How often each outcome occurred.
#[derive(Default)]
struct Tally {
    accepted: BTreeMap<&'static str, u64>,
    rejected: BTreeMap<&'static str, u64>,
    disagreements: Vec<String>,
}

#[test]
fn the_engine_and_the_oracle_agree_on_every_plan() {
    if let Ok(hex) = env::var("TOLLGATE_ORACLE_PLAN") {
        let digit = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
        let plan = Plan::from_bytes(&(0..hex.len()).step_by(2).map(digit).collect::<Vec<_>>());
        println!("{plan:?}\n{}", String::from_utf8_lossy(&plan.trial().header));
        println!("{:?}", agree(&plan).unwrap_or_else(|disagreement| panic!("{disagreement}")));
        return;
    }
    let number = |name, default| env::var(name).map_or(default, |text| text.parse().expect(name));
    let (cases, seed) = (number("TOLLGATE_ORACLE_CASES", 20_000), number("TOLLGATE_ORACLE_SEED", 0));
    let workers = thread::available_parallelism().map_or(1, usize::from) as u64;
    let tallies: Vec<Tally> = thread::scope(|scope| {
        let run = |worker| move || run((seed + worker..seed + cases).step_by(workers as usize));
        let threads: Vec<_> = (0..workers).map(|worker| scope.spawn(run(worker))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let total = tallies.into_iter().fold(Tally::default(), Tally::join);
    println!("{cases} plans\naccepted {:?}\nrejected {:?}", total.accepted, total.rejected);
    assert!(total.disagreements.is_empty(), "disagreements:\n{}", total.disagreements.join("\n"));
    if cases >= 20_000 {
        // The plans have to reach everything that there is to decide.
        assert!(total.accepted.values().sum::<u64>() > cases / 8, "few plans are good tokens");
        let kinds: Vec<_> = total.accepted.keys().copied().collect();
        assert_eq!(kinds, ["access-token", "api-key", "client", "jwt"]);
        let missed: Vec<_> = REASONS.iter().filter(|reason| !total.rejected.contains_key(*reason)).collect();
        assert!(missed.is_empty(), "never rejected for {missed:?}");
    }
}

/// The reasons for which a credential can be rejected in the oracle's world.
const REASONS: [&str; 37] = [
    "algorithm-mismatch",
    "algorithm-not-allowed",
    "ambiguous-key",
    "bad-signature",
    "certificate-required",
    "critical-header",
    "disabled",
    "empty-confirmation",
    "encrypted-token",
    "expired",
    "header-too-long",
    "invalid-claim",
    "invalid-confirmation",
    "malformed-api-key",
    "malformed-credential",
    "malformed-signature",
    "malformed-token",
    "missing-claim",
    "missing-credential",
    "not-yet-valid",
    "proof-required",
    "revoked",
    "sender-constrained",
    "token-not-bound",
    "too-many-entries",
    "too-many-members",
    "type-not-allowed",
    "unknown-api-key",
    "unknown-client",
    "unknown-issuer",
    "unknown-key",
    "unsupported-header",
    "unsupported-scheme",
    "validator-scope",
    "validator-text",
    "wrong-audience",
    "wrong-claim",
];

/// `TOLLGATE_POLICY_CASES` sets the number of plans, `TOLLGATE_ORACLE_SEED` the first seed.
#[test]
fn the_engine_and_the_oracle_agree_on_every_configuration() {
    let number = |name, default| env::var(name).map_or(default, |text| text.parse().expect(name));
    let (cases, seed) = (number("TOLLGATE_POLICY_CASES", 8_000), number("TOLLGATE_ORACLE_SEED", 0_u64));
    let mut tally: BTreeMap<&str, u64> = BTreeMap::new();
    for number in seed..seed + cases {
        match agree_on_policy(&PolicyPlan::random(number)) {
            Ok(None) => *tally.entry("contradiction").or_default() += 1,
            Ok(Some(verdicts)) => {
                for verdict in verdicts {
                    match verdict {
                        Verdict::Accept(_) => *tally.entry("accepted").or_default() += 1,
                        Verdict::Reject(reasons) => {
                            reasons.into_iter().for_each(|reason| *tally.entry(reason).or_default() += 1);
                        }
                    }
                }
            }
            Err(disagreement) => panic!("plan {number}: {disagreement}"),
        }
    }
    println!("{cases} configurations {tally:?}");
    if cases >= 8_000 {
        let reached = [
            "accepted",
            "contradiction",
            "bad-signature",
            "expired",
            "invalid-claim",
            "key-not-admitted",
            "missing-claim",
            "too-many-entries",
            "too-many-members",
            "type-not-allowed",
            "unknown-issuer",
            "unknown-key",
            "validator-before",
            "validator-before-each-time",
            "validator-client-each-time",
            "validator-scope",
            "validator-scope-each-time",
            "validator-subject",
            "validator-text",
            "wrong-audience",
            "wrong-claim",
        ];
        let missed: Vec<_> =
            reached.iter().filter(|reason| tally.get(*reason).is_none_or(|count| *count < 10)).collect();
        assert!(missed.is_empty(), "hardly ever {missed:?}: {tally:?}");
    }
}

/// `TOLLGATE_SENDER_CASES` sets the number of plans, `TOLLGATE_ORACLE_SEED` the first seed.
#[test]
fn the_engine_and_the_oracle_agree_on_every_sender() {
    let number = |name, default| env::var(name).map_or(default, |text| text.parse().expect(name));
    let (cases, seed) = (number("TOLLGATE_SENDER_CASES", 4_000), number("TOLLGATE_ORACLE_SEED", 0_u64));
    let mut tally: BTreeMap<&str, u64> = BTreeMap::new();
    for number in seed..seed + cases {
        let reasons = agree_on_sender(&SenderPlan::random(number)).unwrap_or_else(|what| panic!("{what}"));
        let reasons = if reasons.is_empty() { vec!["accepted"] } else { reasons.into_iter().collect() };
        reasons.into_iter().for_each(|reason| *tally.entry(reason).or_default() += 1);
    }
    println!("{cases} senders {tally:?}");
    if cases >= 4_000 {
        let reached = [
            "accepted",
            "bad-proof-signature",
            "certificate-required",
            "dpop-scheme-required",
            "empty-confirmation",
            "invalid-confirmation",
            "malformed-proof",
            "method-required",
            "multiple-proofs",
            "proof-algorithm-not-allowed",
            "proof-key-refused",
            "proof-not-yet-issued",
            "proof-required",
            "proof-too-long",
            "proof-too-old",
            "proof-type-not-allowed",
            "sender-constrained",
            "token-not-bound",
            "uri-required",
            "wrong-certificate",
            "wrong-proof-key",
            "wrong-proof-method",
            "wrong-proof-token",
            "wrong-proof-uri",
        ];
        let missed: Vec<_> =
            reached.iter().filter(|reason| tally.get(*reason).is_none_or(|count| *count < 10)).collect();
        assert!(missed.is_empty(), "hardly ever {missed:?}: {tally:?}");
        assert!(tally["accepted"] > cases / 8, "few are good: {tally:?}");
    }
}

#[test]
fn a_plan_is_its_bytes() {
    for number in 0..200 {
        let plan = Plan::random(number);
        assert_eq!(Plan::from_bytes(&plan.to_bytes()), plan);
        assert_eq!(plan.trial().header, Plan::random(number).trial().header, "the same each time");
    }
    assert!(MutationKind::ALL.is_sorted(), "in the order in which they are done");
}

fn run(numbers: impl Iterator<Item = u64>) -> Tally {
    let mut tally = Tally::default();
    for number in numbers {
        match agree(&Plan::random(number)) {
            Ok(Verdict::Accept(facts)) => *tally.accepted.entry(facts.kind).or_default() += 1,
            Ok(Verdict::Reject(reasons)) => {
                for reason in reasons {
                    *tally.rejected.entry(reason).or_default() += 1;
                }
            }
            // The first few are enough.
            Err(disagreement) if tally.disagreements.len() < 10 => {
                tally.disagreements.push(disagreement.minimal().to_string());
            }
            Err(_) => {}
        }
    }
    tally
}

impl Tally {
    fn join(mut self, other: Tally) -> Tally {
        for (mine, theirs) in [(&mut self.accepted, other.accepted), (&mut self.rejected, other.rejected)] {
            for (reason, count) in theirs {
                *mine.entry(reason).or_default() += count;
            }
        }
        self.disagreements.extend(other.disagreements);
        self
    }
}
