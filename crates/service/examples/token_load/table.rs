use crate::load::{Figures, Grant};
use std::fmt;

/// The medians of what was measured, in Markdown.
#[derive(Default)]
pub(crate) struct Table(Vec<(Grant, &'static str, Vec<Figures>)>);

impl Table {
    pub(crate) fn add(&mut self, grant: Grant, server: &'static str, figures: Figures) {
        match self.0.iter_mut().find(|row| (row.0, row.1) == (grant, server)) {
            Some((_, _, rounds)) => rounds.push(figures),
            None => self.0.push((grant, server, vec![figures])),
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| grant | server | tokens a second | p50 | p99 | processor time of a token |")?;
        writeln!(f, "|---|---|---:|---:|---:|---:|")?;
        for (grant, server, rounds) in &self.0 {
            let rate = median(rounds, |figures| figures.tokens_per_second);
            let [p50, p99, used]: [fn(&Figures) -> f64; 3] = [
                |figures| figures.median.as_secs_f64(),
                |figures| figures.p99.as_secs_f64(),
                |figures| figures.processor_time_per_token.as_secs_f64(),
            ];
            let [p50, p99, used] = [p50, p99, used].map(|of| 1e3 * median(rounds, of));
            writeln!(f, "| {} | {server} | {rate:.0} | {p50:.2} ms | {p99:.2} ms | {used:.3} ms |", grant.name())?;
        }
        Ok(())
    }
}

fn median(rounds: &[Figures], of: impl Fn(&Figures) -> f64) -> f64 {
    let mut values: Vec<f64> = rounds.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
