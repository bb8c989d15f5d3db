//! The filters: a form that asks for an address.

use gourmetgram_api::{DeviceComparison, Facets, FlagReason, Place, PredictionQuery};
use leptos::{ev, html, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use wasm_bindgen::JsCast;
use web_sys::{FormData, HtmlFormElement};

use crate::{
    components::{later, once_alive},
    explore::{Browse, Field, LIST},
    wording::{self, count},
};

/// The form. Alive, each change asks at once; with scripts off, its button does.
#[component]
pub(super) fn Filters(facets: Facets, asked: Memo<Browse>) -> impl IntoView {
    let navigate = use_navigate();
    let form = NodeRef::<html::Form>::new();
    let go = move |wanted: &Browse| {
        if asked.with_untracked(|now| now != wanted) {
            // The list below changes, the filters stay where they are.
            navigate(&wanted.list(), NavigateOptions { scroll: false, ..NavigateOptions::default() });
        }
    };
    let ask = {
        let go = go.clone();
        move || {
            if let Some(wanted) = form.get_untracked().and_then(|form| wanted(&form, &asked.get_untracked())) {
                go(&wanted);
            }
        }
    };
    let on_change = {
        let ask = ask.clone();
        move |_: ev::Event| ask()
    };
    let on_submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        ask();
    };
    let plain = |values: Vec<String>| values.into_iter().map(|value| (value.clone(), value)).collect::<Vec<_>>();
    let yes_no = |yes: &str, no: &str| vec![("yes".to_owned(), yes.to_owned()), ("no".to_owned(), no.to_owned())];
    let mut flags = yes_no("Flagged", "Not flagged");
    flags.extend(
        FlagReason::ALL
            .map(|reason| (reason.as_str().to_owned(), format!("Flagged: {}", wording::flag_reason(reason)))),
    );
    let places = Place::ALL.map(|place| (place.as_str().to_owned(), wording::place(place).to_owned())).to_vec();
    let devices = DeviceComparison::ALL
        .map(|outcome| (outcome.as_str().to_owned(), wording::device_comparison(outcome).to_owned()))
        .to_vec();
    // What only the order and the view need travels along.
    let kept = [Field::Sort, Field::Order, Field::View].map(|field| {
        let value = move || asked.with(|asked| asked.get(field).to_owned());
        view! { <input type="hidden" name=field.name() value=value disabled=move || value().is_empty()/> }
    });
    let parts = move || {
        // The form comes alive as it was asked for, and is then what was made of it.
        if let Some(chosen) = chosen_before(&asked.get_untracked()) {
            once_alive(move || go(&chosen));
        }
        view! {
                <input class="filters__switch visually-hidden" type="checkbox" id="show-filters"/>
                <label class="filters__show" for="show-filters">
                    <span>"Filters"</span>
                    <span class="filters__number">{move || match asked.with(Browse::filters) {
                        0 => String::new(),
                        number => format!("{number} set"),
                    }}</span>
                </label>
                <form
                    class="filters__form"
                    method="get"
                    action=LIST
                    aria-label="Filters"
                    node_ref=form
                    on:change=on_change
                    on:submit=on_submit
                    autocomplete="off"
                >
                    {kept.collect_view()}
                    <Choice field=Field::Class label="Class" any="Any class" options=plain(facets.classes.clone()) asked/>
                    <fieldset class="filters__range">
                        <legend>"Confidence, %"</legend>
                        <Percent field=Field::Min label="Least confidence, percent" shown="0" asked/>
                        <span aria-hidden="true">"–"</span>
                        <Percent field=Field::Max label="Most confidence, percent" shown="100" asked/>
                    </fieldset>
                    <Choice field=Field::Flag label="Flag" any="Flagged or not" options=flags asked/>
                    <Choice
                        field=Field::Corrected
                        label="Correction"
                        any="Corrected or not"
                        options=yes_no("Corrected", "Not corrected")
                        asked
                    />
                    <Choice field=Field::Device label="Visitor’s device" any="Answered or not" options=devices asked/>
                    <Choice
                        field=Field::Annotated
                        label="Annotation"
                        any="Annotated or not"
                        options=yes_no("Annotated", "Not annotated")
                        asked
                    />
                    <Choice field=Field::Annotator label="Annotator" any="Anybody" options=plain(facets.annotators) asked/>
                    <Choice field=Field::Label label="Annotated as" any="Any class" options=plain(facets.classes) asked/>
                    <Choice
                        field=Field::Campaign
                        label="Chosen by campaign"
                        any="Any or none"
                        options=plain(facets.campaigns)
                        asked
                    />
                    <Choice
                        field=Field::ModelVersion
                        label="Model version"
                        any="Any version"
                        options=plain(facets.model_versions)
                        asked
                    />
                    <Replay asked/>
                    <Choice field=Field::Place label="Bucket" any="Anywhere" options=places asked/>
                    <fieldset class="filters__range">
                        <legend>"Days, in UTC"</legend>
                        <Day field=Field::From label="First day" asked/>
                        <span aria-hidden="true">"–"</span>
                        <Day field=Field::To label="Last day" asked/>
                    </fieldset>
                    <div class="filters__buttons">
                        <button class="button" type="submit">"Apply"</button>
                        {move || (asked.with(Browse::filters) > 0).then(|| view! {
                            <a class="filters__clear" href=asked.with(|asked| asked.unfiltered().list())>
                                {format!("Clear {}", count(asked.with(Browse::filters), "filter", "filters"))}
                            </a>
                        })}
                    </div>
                </form>
        }
    };
    view! { <div class="filters">{later(parts)}</div> }
}

/// What the form asks for. Nothing where the browser cannot say.
fn wanted(form: &HtmlFormElement, now: &Browse) -> Option<Browse> {
    let data = FormData::new_with_form(form).ok()?;
    let value = |field: Field| data.get(field.name()).as_string().unwrap_or_default();
    Some(Field::filters().fold(now.clone(), |browse, field| browse.with(field, value(field))))
}

/// What the form asked for before it came alive, where that is something else than the address does.
fn chosen_before(now: &Browse) -> Option<Browse> {
    // Of what cannot be meant a browser shows nothing, which nobody has chosen.
    if cfg!(feature = "ssr") || now.query().is_err() {
        return None;
    }
    let form = document().query_selector(".filters__form").ok()??.dyn_into::<HtmlFormElement>().ok()?;
    // Other filters begin at the first page, the same ones stay where they are.
    wanted(&form, now).filter(|chosen| *chosen != now.with(Field::After, ""))
}

#[component]
fn Choice(
    field: Field,
    label: &'static str,
    any: &'static str,
    options: Vec<(String, String)>,
    asked: Memo<Browse>,
) -> impl IntoView {
    let now = asked.with_untracked(|asked| asked.get(field).to_owned());
    let id = format!("filter-{}", field.name());
    // What the address asks for is shown, even where nobody offers it (any more).
    let unlisted =
        (!now.is_empty() && options.iter().all(|(value, _)| *value != now)).then(|| (now.clone(), now.clone()));
    let any = (String::new(), any.to_owned());
    let options = [any].into_iter().chain(options).chain(unlisted).map(|(value, text)| {
        let at_first = value == now;
        view! { <option value=value selected=at_first>{text}</option> }
    });
    let chosen = move || asked.with(|asked| asked.get(field).to_owned());
    view! {
        <div class="filters__field">
            <label for=id.clone()>{label}</label>
            <select class="select" id=id name=field.name() prop:value=chosen>{options.collect_view()}</select>
        </div>
    }
}

/// Simulated photos are told by the replay that sent them. Its name stands on each of its photos' pages, as a link here.
#[component]
fn Replay(asked: Memo<Browse>) -> impl IntoView {
    let now = asked.with_untracked(|asked| asked.get(Field::Source).to_owned());
    view! {
        <div class="filters__field">
            <label for="filter-source">"Simulated by"</label>
            <input
                class="input"
                id="filter-source"
                name=Field::Source.name()
                maxlength=PredictionQuery::MAX_TEXT.to_string()
                placeholder="a replay’s name"
                autocapitalize="none"
                autocomplete="off"
                spellcheck="false"
                value=now
                prop:value=move || asked.with(|asked| asked.get(Field::Source).to_owned())
            />
        </div>
    }
}

#[component]
fn Percent(field: Field, label: &'static str, shown: &'static str, asked: Memo<Browse>) -> impl IntoView {
    let now = asked.with_untracked(|asked| asked.get(field).to_owned());
    view! {
        <input
            class="input"
            type="number"
            inputmode="numeric"
            min="0"
            max="100"
            step="1"
            name=field.name()
            aria-label=label
            placeholder=shown
            value=now
            prop:value=move || asked.with(|asked| asked.get(field).to_owned())
        />
    }
}

/// A day. A moment, which links of the dashboard ask for, is no date: it is shown as a text, and stays what it is.
#[component]
fn Day(field: Field, label: &'static str, asked: Memo<Browse>) -> impl IntoView {
    let now = asked.with_untracked(|asked| asked.get(field).to_owned());
    let kind = move || asked.with(|asked| if asked.get(field).contains('T') { "text" } else { "date" });
    view! {
        <input
            class="input"
            type=kind
            name=field.name()
            aria-label=label
            value=now
            prop:value=move || asked.with(|asked| asked.get(field).to_owned())
        />
    }
}
