//! `gourmetgram user`: people and machines that may do more than visitors.

use std::fmt::Write;

use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use gourmetgram_api::Role;
use secrecy::ExposeSecret;

use super::{password, print, token, token::TokenCommand};
use crate::{
    accounts::AccountName,
    catalog::{Catalog, OPERATOR_LINK_LIFETIME, entity::user},
    config::Settings,
    operator_link::OperatorLink,
};

/// What can be done with them.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make an account for a person. Asks for the password on the terminal.
    #[command(after_help = "Example:\n  gourmetgram user add ann --role operator\n  \
        pass show gourmetgram/bob | gourmetgram user add bob --role annotator --password-stdin")]
    Add {
        /// The name to sign in with; upper and lower case are the same.
        name: AccountName,
        /// What the account may do.
        #[arg(long, value_enum)]
        role: RoleName,
        /// Read the password from the first line of standard input.
        #[arg(long)]
        password_stdin: bool,
        /// Print the result as JSON.
        #[arg(long)]
        json: bool,
    },
    /// List the accounts there are.
    #[command(after_help = "Example:\n  gourmetgram user list --json")]
    List {
        /// Print the result as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Give an account another password. It is signed out everywhere.
    #[command(after_help = "Example:\n  gourmetgram user passwd ann")]
    Passwd {
        /// The account's name.
        name: AccountName,
        /// Read the password from the first line of standard input.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Keep an account from signing in, and sign it out everywhere.
    #[command(after_help = "Example:\n  gourmetgram user disable bob")]
    Disable {
        /// The account's name.
        name: AccountName,
    },
    /// Let a disabled account sign in again.
    #[command(after_help = "Example:\n  gourmetgram user enable bob")]
    Enable {
        /// The account's name.
        name: AccountName,
    },
    /// Print a link that signs an operator in, once, within 15 minutes: for the first one, or when a password is lost.
    #[command(after_help = "Example:\n  gourmetgram user link")]
    Link {
        /// Print the result as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Access tokens: for machines.
    #[command(subcommand)]
    Token(TokenCommand),
}

/// A role by its name on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum RoleName {
    /// Labels the photos of campaigns.
    Annotator,
    /// Runs the service: sees and does everything.
    Operator,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Annotator => Self::Annotator,
            RoleName::Operator => Self::Operator,
        }
    }
}

/// Runs one of them.
pub async fn run(settings: &Settings, command: UserCommand) -> anyhow::Result<()> {
    match command {
        UserCommand::Add { name, role, password_stdin, json } => {
            add(settings, &name, role.into(), password_stdin, json).await
        }
        UserCommand::List { json } => list(settings, json).await,
        UserCommand::Passwd { name, password_stdin } => passwd(settings, &name, password_stdin).await,
        UserCommand::Disable { name } => set_disabled(settings, &name, true).await,
        UserCommand::Enable { name } => set_disabled(settings, &name, false).await,
        UserCommand::Link { json } => link(settings, json).await,
        UserCommand::Token(command) => token::run(settings, command).await,
    }
}

/// The catalog, also beside a server that runs.
pub async fn open_catalog(settings: &Settings) -> anyhow::Result<Catalog> {
    crate::spool::create_durable_folder(&settings.data_dir)
        .with_context(|| format!("cannot use data_dir {}", settings.data_dir.display()))?;
    Catalog::open_for_command(&settings.catalog_url()).await.context("cannot open the catalog")
}

async fn add(
    settings: &Settings,
    name: &AccountName,
    role: Role,
    password_stdin: bool,
    json: bool,
) -> anyhow::Result<()> {
    let catalog = open_catalog(settings).await?;
    let taken = || format!("the name {name} is taken: choose another, or see gourmetgram user passwd");
    anyhow::ensure!(catalog.user(name).await?.is_none(), taken());
    let hash = password::take(name, password_stdin)?.hash()?;
    let user = catalog.add_user(name, role, &hash).await?.with_context(taken)?;
    if json {
        return print(&format!("{}\n", describe(&user)));
    }
    print(&format!("added {name}, {role}\n"))
}

async fn list(settings: &Settings, json: bool) -> anyhow::Result<()> {
    let users = open_catalog(settings).await?.users().await?;
    if json {
        let users: Vec<_> = users.iter().map(describe).collect();
        return print(&format!("{}\n", serde_json::Value::from(users)));
    }
    let mut text = String::new();
    for user in &users {
        let state = if user.disabled_at.is_some() { "disabled" } else { "enabled" };
        let _ = writeln!(text, "{}\t{}\t{state}\tmade {}", user.name, user.role, user.created_at.format("%Y-%m-%d"));
    }
    print(&text)
}

async fn passwd(settings: &Settings, name: &AccountName, password_stdin: bool) -> anyhow::Result<()> {
    let catalog = open_catalog(settings).await?;
    let user = find(&catalog, name).await?;
    let hash = password::take(name, password_stdin)?.hash()?;
    catalog.set_password(user.id, &hash).await?;
    print(&format!("changed the password of {}; it is signed out everywhere\n", user.name))
}

async fn set_disabled(settings: &Settings, name: &AccountName, disabled: bool) -> anyhow::Result<()> {
    let catalog = open_catalog(settings).await?;
    let user = find(&catalog, name).await?;
    catalog.set_disabled(user.id, disabled).await?;
    let state = if disabled { "disabled" } else { "enabled" };
    print(&format!("{state} {}\n", user.name))
}

async fn link(settings: &Settings, json: bool) -> anyhow::Result<()> {
    let listen = settings.server.listen;
    anyhow::ensure!(
        settings.server.public_url.is_some() || listen.port() != 0,
        "server.listen has port 0, so the address is not known: set server.public_url"
    );
    let link = OperatorLink::issue(&open_catalog(settings).await?).await?;
    let url = link.url(&settings.server.address_for_people(listen))?;
    if json {
        let seconds = OPERATOR_LINK_LIFETIME.as_secs();
        let report = serde_json::json!({ "url": url.expose_secret(), "expires_in_seconds": seconds });
        return print(&format!("{report}\n"));
    }
    print(&format!("{}\n", url.expose_secret()))
}

async fn find(catalog: &Catalog, name: &AccountName) -> anyhow::Result<user::Model> {
    let known = catalog.user(name).await?;
    known.with_context(|| format!("there is no account {name}: gourmetgram user list shows those there are"))
}

fn describe(user: &user::Model) -> serde_json::Value {
    serde_json::json!({
        "name": user.name,
        "role": user.role,
        "created_at": user.created_at,
        "disabled_at": user.disabled_at,
    })
}
