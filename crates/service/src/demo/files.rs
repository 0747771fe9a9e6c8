//! The curl lines, in two files: the variables, which are set once, and the lines that use them.

use super::seed::{Demo, EMAIL, PASSWORD};
use crate::error::ServerError;
use std::fmt::Write as _;
use std::path::Path;

/// Writes both files into that folder, which is for its owner alone; what is to be printed about the demo.
pub(crate) fn write(demo: &Demo, folder: &Path) -> Result<String, ServerError> {
    let (variables, lines) = (folder.join("variables.sh"), folder.join("curl-lines.sh"));
    let mut text = String::new();
    for (name, value) in &demo.variables {
        // Writing to a string cannot fail. No value holds a quote.
        let _ = writeln!(text, "{name}='{value}'");
    }
    std::fs::write(&variables, text).map_err(ServerError::TemporaryFolder)?;
    std::fs::write(&lines, include_str!("curl-lines.sh")).map_err(ServerError::TemporaryFolder)?;
    let (url, variables, lines) = (&demo.url, variables.display(), lines.display());
    Ok(format!(
        r#"
In a browser:  {url}/
               log in as {EMAIL} with the password {PASSWORD}
In a shell:    . {variables}
               curl -i "$URL/api/v2/sites" -H "Authorization: $API_KEY"
               curl -i "$URL/api/v2/sessions" -X POST -H "Authorization: $API_KEY"
               curl -i "$URL/oauth/v2/token" -u "reports-client:$CLIENT_SECRET" -d grant_type=client_credentials
               curl -i "$URL/api/v2/reports" -H "Authorization: Bearer $ACCESS_TOKEN"
Every flow, and each way in which it fails, as curl lines:
               {lines}
"#
    ))
}
