//! Where and when a run took place.

use std::process::Command;
use std::time::{Duration, SystemTime};

/// Names and values for the last section of a report.
pub(super) fn facts(date: SystemTime, time: Duration) -> Vec<(&'static str, String)> {
    let mut facts = vec![("started", utc(date)), ("time", format!("{:.1} s", time.as_secs_f64()))];
    let mut arguments = std::env::args();
    let program = arguments.next().unwrap_or_default();
    let program = program.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    facts.push(("command", std::iter::once(program).chain(arguments).collect::<Vec<_>>().join(" ")));
    facts.push(("version", env!("CARGO_PKG_VERSION").into()));
    facts.extend(revision().map(|revision| ("revision", revision)));
    facts.push(("system", format!("{} on {}", std::env::consts::OS, std::env::consts::ARCH)));
    facts.extend(processor().map(|name| ("processor", name)));
    facts.push(("vector instructions", vector_instructions().join(", ")));
    facts.extend(
        std::thread::available_parallelism().ok().map(|count| ("threads at once", count.to_string())),
    );
    facts.extend(peak_memory().map(|peak| ("most memory", peak)));
    facts
}

/// The commit of the working directory, marked if files differ from it; none outside of a repository.
fn revision() -> Option<String> {
    let arguments = ["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"];
    let output =
        Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// The name of the processor, where the system tells.
fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The most memory that the process has held, where the system tells.
fn peak_memory() -> Option<String> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(format!("{:.0} MB", kibibytes * 1024.0 / 1e6))
}

/// Those that the products of matrices are written for, as far as the processor has them.
fn vector_instructions() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    let known = [
        ("AVX", std::is_x86_feature_detected!("avx")),
        ("AVX2", std::is_x86_feature_detected!("avx2")),
        ("FMA", std::is_x86_feature_detected!("fma")),
        ("AVX-512", std::is_x86_feature_detected!("avx512f")),
    ];
    #[cfg(not(target_arch = "x86_64"))]
    let known = [("those of the architecture", true)];
    let found: Vec<_> = known.into_iter().filter(|known| known.1).map(|known| known.0).collect();
    if found.is_empty() { vec!["none"] } else { found }
}

/// A time of the clock in universal time, as `2026-11-24 17:30:00 UTC`.
fn utc(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let (days, second) = ((seconds / 86_400) as i64, seconds % 86_400);
    // The date of a day number, in years that begin with March (Hinnant, "chrono-compatible low-level date algorithms").
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let at = |seconds| utc(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(at(951_782_399), "2000-02-28 23:59:59 UTC");
        assert_eq!(at(951_782_400), "2000-02-29 00:00:00 UTC");
        assert_eq!(at(1_709_251_199), "2024-02-29 23:59:59 UTC");
        assert_eq!(at(4_107_542_400), "2100-03-01 00:00:00 UTC");
    }
}
