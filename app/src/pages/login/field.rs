//! The parts of the door's forms.

use leptos::prelude::*;

use crate::{
    backend::{PageStatus, PostedProblem},
    components::Icon,
    trouble::Trouble,
};

/// What a field is for, which tells a password manager what to fill in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Name,
    CurrentPassword,
    NewPassword,
}

/// One line to fill in, with its label.
#[component]
pub(super) fn Field(
    /// The label.
    label: &'static str,
    /// The form's field; also its id.
    name: &'static str,
    /// What it is for.
    purpose: Purpose,
    /// What to know before filling it in.
    #[prop(optional)]
    hint: Option<&'static str>,
    /// Whether the keyboard starts here.
    #[prop(optional)]
    first: bool,
) -> impl IntoView {
    let (kind, autocomplete) = match purpose {
        Purpose::Name => ("text", "username"),
        Purpose::CurrentPassword => ("password", "current-password"),
        Purpose::NewPassword => ("password", "new-password"),
    };
    let is_new = purpose == Purpose::NewPassword;
    let hint_id = format!("{name}-hint");
    view! {
        <div class="field">
            <label class="field__label" for=name>{label}</label>
            <input class="field__input" id=name name=name r#type=kind autocomplete=autocomplete
                required=true autofocus=first autocapitalize="none" spellcheck="false"
                minlength=is_new.then_some("12") maxlength="256"
                aria-describedby=hint.map(|_| hint_id.clone())/>
            {hint.map(|hint| view! { <p class="field__hint" id=hint_id>{hint}</p> })}
        </div>
    }
}

/// What the server had to say to the form just posted. Also sets the status.
#[component]
pub(super) fn Answer(
    /// The title for a refusal that the page knows better than the server.
    title: fn(&Trouble) -> String,
) -> impl IntoView {
    let posted = use_context::<PostedProblem>().map(|posted| posted.0);
    if let (Some(status), Some(problem)) = (use_context::<PageStatus>(), &posted) {
        status.set(problem.status);
    }
    posted.map(Trouble::from).map(|trouble| {
        view! {
            <div class="notice notice--trouble" role="alert">
                {Icon::Warning.view()}
                <div class="notice__body">
                    <p class="notice__title">{title(&trouble)}</p>
                    <p>{trouble.advice()}</p>
                </div>
            </div>
        }
    })
}

/// What is around every page of the door: the plate with its sign, and the words beside it.
#[component]
pub(super) fn Door(
    /// What the sign on the plate says; decoration.
    sign: &'static str,
    /// The words.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="door">
            <div class="door__words">{children()}</div>
            <div class="door__plate" aria-hidden="true">
                <div class="plate">
                    <div class="plate__well">
                        <p class="plaque door__plaque">{sign}</p>
                    </div>
                </div>
            </div>
        </div>
    }
}
