//! Options from the environment and from a file. The command line takes precedence over the environment, and the environment
//! over the file.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command};
use toml::{Spanned, Value};

use crate::arguments::usage_line;
use crate::error::CommandError;
use crate::toml_file::{TomlFile, is_url};

/// The prefix of an option's name in the environment: `--base-url` is `TOLLGATE_BASE_URL`.
const VARIABLE_PREFIX: &str = "TOLLGATE_";

/// Options of the command line only: the file itself, and those that run something else.
const COMMAND_LINE_ONLY: [&str; 4] = ["config", "demo", "help", "version"];

/// Gives every option of `command` a variable of the environment.
pub(crate) fn with_environment(command: Command) -> Command {
    command.mut_args(|option| {
        if !may_stand_elsewhere(&option) {
            return option;
        }
        let variable = format!("{VARIABLE_PREFIX}{}", option.get_id().as_str().to_uppercase());
        option.env(variable).hide_env_values(true)
    })
}

/// Options in a TOML file, by their names with `_` instead of `-`.
pub(crate) struct OptionFile {
    file: TomlFile,
    options: BTreeMap<Spanned<String>, Spanned<Value>>,
}

impl OptionFile {
    pub(crate) fn read(path: &Path) -> Result<Self, CommandError> {
        let (file, options) = TomlFile::read(path)?;
        Ok(OptionFile { file, options })
    }

    /// Makes the options of the file the defaults of `command`.
    pub(crate) fn apply(&self, mut command: Command) -> Result<Command, CommandError> {
        for (key, value) in &self.options {
            let Some(option) = find(&command, key.get_ref()).cloned() else {
                return Err(self.file.refused(key.span().start, unknown(&command, key.get_ref())));
            };
            let refused = |reason: String| self.file.refused(value.span().start, reason);
            let values = self.values(&option, value.get_ref()).map_err(refused)?;
            check(&option, &values).map_err(refused)?;
            command = command.mut_arg(option.get_id().clone(), |option| option.default_values(values));
        }
        Ok(command)
    }

    /// The option as it would be on the command line.
    fn values(&self, option: &Arg, value: &Value) -> Result<Vec<String>, String> {
        match value {
            Value::Array(values) if matches!(option.get_action(), ArgAction::Append) => {
                values.iter().map(|value| self.value(option, value)).collect()
            }
            value => Ok(vec![self.value(option, value)?]),
        }
    }

    fn value(&self, option: &Arg, value: &Value) -> Result<String, String> {
        match value {
            Value::String(path) if is_path(option) && !is_url(Path::new(path)) => {
                let path: PathBuf = self.file.folder().join(path);
                path.into_os_string().into_string().map_err(|_| "the file's folder is not UTF-8".to_owned())
            }
            Value::String(text) => Ok(text.clone()),
            Value::Integer(number) => Ok(number.to_string()),
            other => Err(format!("expected a string or a number, not {}", other.type_str())),
        }
    }
}

fn may_stand_elsewhere(option: &Arg) -> bool {
    !option.is_positional() && !COMMAND_LINE_ONLY.contains(&option.get_id().as_str())
}

fn find<'c>(command: &'c Command, name: &str) -> Option<&'c Arg> {
    command.get_arguments().find(|option| option.get_id() == name && may_stand_elsewhere(option))
}

fn unknown(command: &Command, name: &str) -> String {
    let options = command.get_arguments().filter(|option| may_stand_elsewhere(option));
    let mut known: Vec<&str> = options.map(|option| option.get_id().as_str()).collect();
    known.sort_unstable();
    format!("unknown option `{name}`, expected one of {}", known.join(", "))
}

fn is_path(option: &Arg) -> bool {
    option.get_value_parser().type_id() == TypeId::of::<PathBuf>()
}

/// Reads the values as the command line would.
fn check(option: &Arg, values: &[String]) -> Result<(), String> {
    let Some(name) = option.get_long() else { return Ok(()) };
    let given = values.iter().map(|value| format!("--{name}={value}"));
    let command = Command::new("").no_binary_name(true).disable_help_flag(true).arg(option.clone());
    match command.try_get_matches_from(given) {
        Ok(_) => Ok(()),
        Err(error) => Err(usage_line(&error.render().to_string())),
    }
}
