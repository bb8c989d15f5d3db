//! `gourmetgram user`: people and machines that may do more than visitors.

use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use secrecy::ExposeSecret;

use super::print;
use crate::{
    catalog::{Catalog, Role},
    config::Settings,
    http::{new_access_token, sha256_hex},
};

/// What can be done with them.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make an access token for an operator or a machine; it is shown once.
    #[command(
        after_help = "Example:\n  gourmetgram user add backup-script --role operator\n  curl -H \"Authorization: Bearer ggo_…\" http://127.0.0.1:8080/api/v1/predictions"
    )]
    Add {
        /// A name to know the token by.
        name: String,
        /// What it may do.
        #[arg(long, value_enum, default_value_t = RoleName::Operator)]
        role: RoleName,
        /// Print the result as JSON.
        #[arg(long)]
        json: bool,
    },
}

/// A role by its name on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum RoleName {
    /// Everything.
    Operator,
}

/// Runs one of them.
pub async fn run(settings: &Settings, command: UserCommand) -> anyhow::Result<()> {
    match command {
        UserCommand::Add { name, role: RoleName::Operator, json } => add(settings, &name, json).await,
    }
}

async fn add(settings: &Settings, name: &str, json: bool) -> anyhow::Result<()> {
    anyhow::ensure!((1..=100).contains(&name.len()), "a name has 1 to 100 bytes");
    crate::spool::create_durable_folder(&settings.data_dir)
        .with_context(|| format!("cannot use data_dir {}", settings.data_dir.display()))?;
    let catalog = Catalog::open(&settings.catalog_url(), 1).await.context("cannot open the catalog")?;
    let token = new_access_token();
    let hash = sha256_hex(token.expose_secret().as_bytes());
    anyhow::ensure!(catalog.add_token(name, Role::Operator, hash).await?, "the name {name:?} is taken: choose another");
    if json {
        let report =
            serde_json::json!({ "name": name, "role": Role::Operator.as_str(), "token": token.expose_secret() });
        return print(&format!("{report}\n"));
    }
    print(&format!("{}\n", token.expose_secret()))
}
