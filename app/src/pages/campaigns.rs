//! The page `/campaigns`: which photos people label. Operators make campaigns, look at what they would choose, and have
//! them select. A document: forms and links, no scripts.

use gourmetgram_api::{
    Campaign, CampaignPreset, CampaignPreview, CampaignRule, FlagReason, LabelledIn, NewCampaign, Problem, RandomDraw,
    Run, RunState,
};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::loading;
use crate::{
    backend::{PageStatus, PostedProblem},
    campaigns::{self, CampaignForm, Campaigns, KINDS, LONGEST_NAME, LONGEST_SCHEDULE, SCHEDULES, SPANS},
    components::{Icon, Notice},
    forms,
    trouble::Trouble,
    wording,
};

/// Characters of the longest number that can be written.
const LONGEST_NUMBER: usize = 20;

/// The page.
#[component]
pub fn CampaignsPage() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let form = CampaignForm::read(query.clone().into_iter().map(|(name, value)| (name.to_string(), value)));
    let done = done(&query.get("done").unwrap_or_default());
    let asked = form.clone();
    let posted = posted();
    let found = Resource::new_blocking(|| (), move |()| loading::campaigns(asked.clone()));
    view! {
        <Title text="Campaigns"/>
        <div class="campaigns">
            <h1>"Campaigns"</h1>
            <p class="campaigns__lead">"Which photos people label. Each campaign looks at every photo once, whatever interval it is asked about."</p>
            <Answer/>
            {done.map(|(title, text)| view! { <Notice title text/> })}
            <Suspense>
                {move || {
                    let (form, posted) = (form.clone(), posted.clone());
                    Suspend::new(async move {
                        match found.await {
                            Ok(found) => Either::Left(view! { <Content found form posted/> }),
                            Err(trouble) => Either::Right(view! { <Closed trouble/> }),
                        }
                    })
                }}
            </Suspense>
        </div>
    }
}

/// What became of the button that led here.
fn done(what: &str) -> Option<(String, String)> {
    let (title, text) = match what {
        "made" => (
            "The campaign is made.",
            "It selects when you tell it to, and by its schedule where it has one.".to_owned(),
        ),
        "archived" => {
            ("The campaign is archived.", "It selects nothing more; what it chose can still be labelled.".to_owned())
        }
        _ => return None,
    };
    Some((title.to_owned(), text))
}

/// Why the form that was sent was refused.
fn posted() -> Option<Problem> {
    use_context::<PostedProblem>().map(|posted| campaigns::in_its_words(posted.0))
}

/// What was wrong with the form that was sent.
#[component]
fn Answer() -> impl IntoView {
    let posted = posted();
    if let (Some(status), Some(problem)) = (use_context::<PageStatus>(), &posted) {
        status.set(problem.status);
    }
    posted.map(|problem| view! { <Refused title="That did not work" problem/> })
}

#[component]
fn Refused(title: &'static str, problem: Problem) -> impl IntoView {
    view! {
        <div class="notice notice--trouble" role="alert">
            {Icon::Warning.view()}
            <div class="notice__body">
                <p class="notice__title">{title}</p>
                <p>{problem.detail}</p>
            </div>
        </div>
    }
}

#[component]
fn Closed(trouble: Trouble) -> impl IntoView {
    view! {
        <div class="notice notice--trouble" role="alert">
            {Icon::Warning.view()}
            <div class="notice__body">
                <p class="notice__title">"The campaigns cannot be shown"</p>
                <p>{trouble.server_words()}</p>
            </div>
        </div>
    }
}

#[component]
fn Content(found: Campaigns, form: CampaignForm, posted: Option<Problem>) -> impl IntoView {
    let Campaigns { campaigns, troubles, projects, preview } = found;
    let preview = preview.map(|preview| preview.map_err(campaigns::in_its_words));
    let wrong = posted.or_else(|| preview.as_ref().and_then(|preview| preview.as_ref().err().cloned()));
    let one = |campaign: Campaign| {
        let troubles = troubles.iter().filter(|run| run.campaign == Some(campaign.id)).cloned().collect();
        let project = projects.iter().find(|(id, _)| *id == campaign.id).map(|(_, address)| address.clone());
        view! { <One campaign troubles project/> }
    };
    let (living, archived): (Vec<Campaign>, Vec<Campaign>) =
        campaigns.into_iter().partition(|campaign| campaign.archived_at.is_none());
    let none = living.is_empty();
    let archived = (!archived.is_empty()).then(|| {
        let list = archived.into_iter().map(one).collect_view();
        view! {
            <details class="campaigns__archived">
                <summary>"Archived"</summary>
                <ul class="campaigns__list">{list}</ul>
            </details>
        }
    });
    let list = living.into_iter().map(one).collect_view();
    view! {
        {none.then(|| view! {
            <p class="campaigns__none">"There is no campaign yet: choose one of those below, or say your own."</p>
        })}
        <ul class="campaigns__list">{list}</ul>
        {archived}
        <New form wrong>
            {preview.map(|preview| match preview {
                Ok(preview) => Either::Left(view! { <Preview preview/> }),
                Err(problem) => Either::Right(view! { <Refused title="That has no preview" problem/> }),
            })}
        </New>
    }
}

#[component]
fn One(campaign: Campaign, troubles: Vec<Run>, project: Option<String>) -> impl IntoView {
    let progress = campaign.progress;
    let is_archived = campaign.archived_at.is_some();
    let (select, archive) = (campaigns::select(&campaign), campaigns::archive(&campaign));
    let heading = format!("campaign-{}", campaign.id);
    let labelled_by = heading.clone();
    let measure = format!("{} of {} labelled", progress.labelled, progress.chosen);
    view! {
        <li class="card campaign" aria-labelledby=labelled_by>
            <div class="campaign__head">
                <h2 class="card__title" id=heading>{campaign.asked.name.clone()}</h2>
                {(!is_archived).then(|| view! {
                    <form method="post" action=archive>
                        <button class="button button--small button--quiet" type="submit">"Archive"</button>
                    </form>
                })}
            </div>
            <p class="campaign__rule">{rule(&campaign.asked.rule)}</p>
            <p class="campaign__facts">
                {if campaign.asked.blind { "Blind: annotators do not learn the model’s answer." } else { "Shown: annotators see the model’s answer." }}
            </p>
            {by_itself(&campaign.asked).map(|words| view! { <p class="campaign__facts">{words}</p> })}
            {window(&campaign.asked).map(|words| view! { <p class="campaign__facts">{words}</p> })}
            <progress class="progress" max=progress.chosen.max(1) value=progress.labelled aria-label=measure.clone()></progress>
            <p class="campaign__facts">{format!("{measure}; {} photos considered", progress.considered)}</p>
            {place(&campaign, project)}
            {troubles.iter().map(went_wrong).collect_view()}
            {(!is_archived).then(|| view! {
                <form method="post" action=select class="toolbar campaign__select">
                    <Spans id=format!("span-{}", campaign.id) label="Photos of the last" chosen="0.5".to_owned()/>
                    <button class="button button--small" type="submit">"Select now"</button>
                </form>
            })}
        </li>
    }
}

/// When it selects by itself.
fn by_itself(asked: &NewCampaign) -> Option<String> {
    let schedule = asked.schedule.as_deref()?;
    Some(match SCHEDULES.into_iter().find(|(known, _)| *known == schedule) {
        Some((_, words)) => format!("Selects by itself {words}, in UTC ({schedule})."),
        None => format!("Selects by itself at {schedule}, in UTC."),
    })
}

/// Outside of which times it considers nothing.
fn window(asked: &NewCampaign) -> Option<String> {
    Some(match (asked.starts_at.map(wording::moment), asked.ends_at.map(wording::moment)) {
        (None, None) => return None,
        (Some(start), None) => format!("Photos received from {start} on."),
        (None, Some(end)) => format!("Photos received before {end}."),
        (Some(start), Some(end)) => format!("Photos received from {start} until {end}."),
    })
}

/// Where its photos are labelled.
fn place(campaign: &Campaign, project: Option<String>) -> impl IntoView + use<> {
    match (campaign.asked.labelled_in, project) {
        (LabelledIn::Review, _) => None,
        (LabelledIn::LabelStudio, None) => Some(Either::Left(view! {
            <p class="campaign__facts">"Labelled in Label Studio, which has nothing of it yet."</p>
        })),
        (LabelledIn::LabelStudio, Some(address)) => Some(Either::Right(view! {
            <p class="campaign__facts"><a class="campaign__link" href=address rel="external">"Label it in Label Studio"</a></p>
        })),
    }
}

/// A run about it that went wrong, and what becomes of it.
fn went_wrong(run: &Run) -> impl IntoView + use<> {
    let what = match run.pipeline.as_str() {
        "select" => "Photos could not be selected".to_owned(),
        "collect" => "Labels could not be collected".to_owned(),
        other => format!("{other} went wrong"),
    };
    let then = match run.state {
        RunState::Failed => "It was given up; nothing is lost.",
        _ => "It is tried again by itself.",
    };
    let error = run.error.clone().unwrap_or_default();
    view! {
        <div class="notice notice--trouble campaign__trouble">
            {Icon::Warning.view()}
            <div class="notice__body">
                <p class="notice__title">{what}</p>
                <p class="campaign__error">{error}</p>
                <p>{then}</p>
                <p><a class="campaign__link" href=format!("/pipelines/{}", run.id) rel="external">"What it did"</a></p>
            </div>
        </div>
    }
}

/// A rule in a sentence.
fn rule(rule: &CampaignRule) -> String {
    let of_all = |draw: &RandomDraw| match draw {
        RandomDraw::Rate(rate) => format!("{} of all photos, at random", percent(*rate)),
        RandomDraw::PerInterval(count) => format!("{count} photos of each interval, at random"),
    };
    let capped = |what: &str, at_most: &Option<u64>| match at_most {
        Some(cap) => format!("{what}, at most {cap} of an interval"),
        None => what.to_owned(),
    };
    match rule {
        CampaignRule::Everything => "Every photo".to_owned(),
        CampaignRule::Random { draw } => of_all(draw),
        CampaignRule::LowConfidence { at_most, .. } => capped("What the model was unsure of", at_most),
        CampaignRule::Flagged { reasons, at_most } if reasons.is_empty() => capped("What somebody flagged", at_most),
        CampaignRule::Flagged { reasons, at_most } => {
            let reasons: Vec<String> =
                reasons.iter().map(|it| wording::flag_reason(*it).to_ascii_lowercase()).collect();
            capped(&format!("What somebody flagged: {}", reasons.join(", ")), at_most)
        }
        CampaignRule::Corrected { at_most } => capped("What somebody relabelled", at_most),
        CampaignRule::DeviceDisagrees { other_versions: false, at_most } => {
            capped("What the visitor’s device took for another class, by the same model version", at_most)
        }
        CampaignRule::DeviceDisagrees { other_versions: true, at_most } => {
            capped("What the visitor’s device took for another class, by whichever model version", at_most)
        }
        CampaignRule::Continuous { random, .. } => {
            format!("What the model was unsure of, what somebody flagged or relabelled, and {}", of_all(random))
        }
    }
}

fn percent(share: f64) -> String {
    format!("{}%", (share * 10_000.0).round() / 100.0)
}

/// The form for a campaign, and beside it what it would choose.
#[component]
fn New(form: CampaignForm, wrong: Option<Problem>, children: Children) -> impl IntoView {
    let presets = CampaignPreset::ALL.map(|preset| {
        let href = format!("{}?preset={preset}#new", campaigns::PAGE);
        view! { <li><a class="chip" href=href rel="external">{preset.title()}</a></li> }
    });
    let kind = form.kind().to_owned();
    let kinds = KINDS.map(|(word, name)| view! { <option value=word selected=word == kind>{name}</option> });
    let has_draw = matches!(kind.as_str(), "random" | "continuous");
    let has_threshold = matches!(kind.as_str(), "low_confidence" | "continuous");
    let has_cap =
        matches!(kind.as_str(), "low_confidence" | "flagged" | "corrected" | "device_disagrees" | "continuous");
    let of_devices = kind == "device_disagrees";
    let other_versions = !form.get("other_versions").is_empty();
    let has_reasons = kind == "flagged";
    let reasons = FlagReason::ALL.map(|reason| {
        let is_ticked = form.is_for(reason);
        view! {
            <label class="tick">
                <input type="checkbox" name="reason" value=reason.as_str() checked=is_ticked/>
                {wording::flag_reason(reason)}
            </label>
        }
    });
    let has_more = ["schedule", "starts_at", "ends_at"].into_iter().any(|field| !form.get(field).is_empty());
    let schedules = SCHEDULES.map(|(schedule, words)| view! { <option value=schedule>{words}</option> });
    let fault = |field: &str| {
        let about = wrong.as_ref().filter(|problem| problem.field.as_deref() == Some(field));
        about.map(|problem| problem.detail.clone())
    };
    let value = |field: &str| form.get(field).to_owned();
    let is_shown = !form.get("shown").is_empty();
    let (no_reason, no_studio) = (fault("reason"), fault("labelled_in"));
    let of_reasons = if no_reason.is_some() { "reasons-hint reason-error" } else { "reasons-hint" };
    let in_label_studio = form.get("labelled_in") == "label_studio";
    let by_count = form.get("draw") == "per_interval";
    let measure = value("measure");
    let measures = [("confidence", "confidence below"), ("margin", "margin below"), ("entropy", "entropy above")]
        .map(|(word, name)| view! { <option value=word selected=word == measure>{name}</option> });
    view! {
        <section class="campaigns__new" id="new" aria-labelledby="new-title">
            <h2 id="new-title">"New campaign"</h2>
            <p>"Start from one that many teams want, or say your own."</p>
            <ul class="campaigns__presets">{presets}</ul>
            // Looking ahead asks for the page, making changes something: one form, two buttons.
            <div class="campaigns__desk">
            <form class="card campaigns__form" method="get" action=campaigns::PAGE>
                <Field name="name" label="Name" longest=LONGEST_NAME value=value("name") wrong=fault("name")
                    required=true/>
                <div class="field">
                    <label class="field__label" for="kind">"Which photos"</label>
                    <select class="select" id="kind" name="kind" aria-describedby="kind-hint">{kinds}</select>
                    <p class="field__hint" id="kind-hint">"After a change here, “Preview” shows the fields that go with it."</p>
                </div>
                {has_draw.then(|| view! {
                    <fieldset class="field">
                        <legend class="field__label">"The random sample"</legend>
                        <label class="tick"><input type="radio" name="draw" value="rate" checked=!by_count/>"Percent of all photos"</label>
                        <Entry name="rate" spoken="Percent of all photos" mode="decimal" longest=LONGEST_NUMBER
                            value=value("rate") wrong=fault("rate")
                            hint="Greater than 0, at most 100; 10 where nothing is said."/>
                        <label class="tick"><input type="radio" name="draw" value="per_interval" checked=by_count/>"Number of photos of each interval"</label>
                        <Entry name="per_interval" spoken="Number of photos of each interval" mode="numeric"
                            longest=LONGEST_NUMBER value=value("per_interval") wrong=fault("per_interval")/>
                    </fieldset>
                })}
                {has_threshold.then(|| view! {
                    <fieldset class="field">
                        <legend class="field__label">"Unsure is"</legend>
                        <select class="select" name="measure" aria-label="What is measured">{measures}</select>
                        <Field name="threshold" label="Threshold, percent" mode="decimal" longest=LONGEST_NUMBER
                            value=value("threshold") wrong=fault("threshold") hint="70 where nothing is said."/>
                    </fieldset>
                })}
                {of_devices.then(|| view! {
                    <div class="field">
                        <label class="tick">
                            <input type="checkbox" name="other_versions" value="yes" checked=other_versions
                                aria-describedby="other-versions-hint"/>
                            "Also where the device had another model version"
                        </label>
                        <p class="field__hint" id="other-versions-hint">
                            "Two versions that differ show what has changed between them."
                        </p>
                    </div>
                })}
                {has_reasons.then(|| view! {
                    <fieldset class="field" aria-describedby=of_reasons>
                        <legend class="field__label">"Flagged as"</legend>
                        {reasons}
                        <p class="field__hint" id="reasons-hint">"None ticked: for whatever reason."</p>
                        {no_reason.map(|why| view! { <p class="field__error" id="reason-error">{why}</p> })}
                    </fieldset>
                })}
                {has_cap.then(|| view! {
                    <Field name="at_most" label="At most so many of an interval" mode="numeric" longest=LONGEST_NUMBER
                        value=value("at_most") wrong=fault("at_most") hint="Of each kind. Empty: all of them."/>
                })}
                <div class="field">
                    <span class="field__label">"What annotators see"</span>
                    <label class="tick">
                        <input type="checkbox" name="shown" value="yes" checked=is_shown aria-describedby="blind-hint"/>
                        "Show the model’s answer"
                    </label>
                    <p class="field__hint" id="blind-hint">"Only labels given without seeing it can say how accurate the model is."</p>
                </div>
                <Field name="double" label="Labelled by two people, percent" mode="decimal" longest=LONGEST_NUMBER
                    value=value("double") wrong=fault("double")
                    hint="Shows how far people agree; 5 where nothing is said."/>
                <div class="field">
                    <label class="field__label" for="labelled_in">"Labelled in"</label>
                    <select class="select" id="labelled_in" name="labelled_in" aria-invalid=no_studio.is_some().then_some("true")
                        aria-describedby=no_studio.is_some().then_some("labelled_in-error")>
                        <option value="review">"GourmetGram’s review"</option>
                        <option value="label_studio" selected=in_label_studio>"Label Studio"</option>
                    </select>
                    {no_studio.map(|why| view! { <p class="field__error" id="labelled_in-error">{why}</p> })}
                </div>
                <details class="campaigns__more" open=has_more>
                    <summary>"Schedule and window of time"</summary>
                    <div class="campaigns__fields">
                        <Field name="schedule" label="Selects by itself at" longest=LONGEST_SCHEDULE
                            value=value("schedule") wrong=fault("schedule") list="schedules"
                            hint="Five fields of cron, in UTC: 0 * * * * is every hour. Empty: only when told to."/>
                        <datalist id="schedules">{schedules}</datalist>
                        <Field name="starts_at" kind="datetime-local" label="Photos received from, in UTC"
                            value=value("starts_at") wrong=fault("starts_at") hint="Empty: however old."/>
                        <Field name="ends_at" kind="datetime-local" label="Photos received before, in UTC"
                            value=value("ends_at") wrong=fault("ends_at") hint="Empty: without an end."/>
                    </div>
                </details>
                <div class="toolbar campaigns__send">
                    <Spans id="hours".to_owned() label="Preview with photos of the last" chosen=value("hours")/>
                    <button class="button" type="submit">"Preview"</button>
                    <button class="button button--primary" type="submit" formmethod="post">"Create campaign"</button>
                </div>
            </form>
            {children()}
            </div>
        </section>
    }
}

/// A field of the form with what is wrong with it. Its name is its id.
#[component]
fn Field(
    name: &'static str,
    label: &'static str,
    value: String,
    wrong: Option<String>,
    #[prop(default = "text")] kind: &'static str,
    #[prop(default = None, into)] mode: Option<&'static str>,
    #[prop(default = None, into)] longest: Option<usize>,
    #[prop(default = None, into)] hint: Option<&'static str>,
    #[prop(default = None, into)] list: Option<&'static str>,
    #[prop(optional)] required: bool,
) -> impl IntoView {
    view! {
        <div class="field">
            <label class="field__label" for=name>{label}</label>
            <Entry name value wrong kind mode longest hint list required/>
        </div>
    }
}

/// The part of a [`Field`] that is filled in, with what is said below it.
#[component]
fn Entry(
    name: &'static str,
    value: String,
    /// What is wrong with what was written.
    wrong: Option<String>,
    /// What it is called where no label says so.
    #[prop(default = None, into)]
    spoken: Option<&'static str>,
    /// Its type.
    #[prop(default = "text")]
    kind: &'static str,
    /// The keyboard that phones show.
    #[prop(default = None, into)]
    mode: Option<&'static str>,
    /// Characters that can be written into it.
    #[prop(default = None, into)]
    longest: Option<usize>,
    #[prop(default = None, into)] hint: Option<&'static str>,
    /// Id of the list of what is offered.
    #[prop(default = None, into)]
    list: Option<&'static str>,
    #[prop(optional)] required: bool,
) -> impl IntoView {
    let (hint_id, error_id) = (format!("{name}-hint"), format!("{name}-error"));
    let ids = [hint.map(|_| hint_id.as_str()), wrong.as_ref().map(|_| error_id.as_str())];
    let described_by = ids.into_iter().flatten().collect::<Vec<_>>().join(" ");
    view! {
        <input class="input" id=name name=name r#type=kind value=value list=list inputmode=mode required=required
            maxlength=longest autocomplete="off" aria-label=spoken
            aria-describedby=Some(described_by).filter(|ids| !ids.is_empty())
            aria-invalid=wrong.is_some().then_some("true")/>
        {hint.map(|hint| view! { <p class="field__hint" id=hint_id>{hint}</p> })}
        {wrong.map(|why| view! { <p class="field__error" id=error_id>{why}</p> })}
    }
}

#[component]
fn Spans(id: String, label: &'static str, chosen: String) -> impl IntoView {
    let options = SPANS.map(|(hours, words)| view! { <option value=hours selected=hours == chosen>{words}</option> });
    view! {
        <div class="field">
            <label class="field__label" for=id.clone()>{label}</label>
            <select class="select" id=id name="hours">{options}</select>
        </div>
    }
}

#[component]
fn Preview(preview: CampaignPreview) -> impl IntoView {
    let CampaignPreview { selected, half_width, photos } = preview;
    let rows = selected.strata.iter().map(|counts| {
        view! {
            <tr>
                <th scope="row">{counts.stratum.to_string()}</th>
                <td class="number">{counts.considered}</td>
                <td class="number">{counts.chosen}</td>
                <td class="number">{percent(counts.inclusion)}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let pictures = photos.into_iter().map(|id| {
        view! {
            <li>
                <a href=format!("/photos/{id}") rel="external">
                    <img src=forms::thumbnail(id, 96) width="96" height="96" alt="A photo that would be chosen" loading="lazy"/>
                </a>
            </li>
        }
    });
    let pictures = pictures.collect_view();
    let words = match half_width {
        _ if selected.considered == 0 => "No photo was received in that time.".to_owned(),
        Some(half) if half * 100.0 < 0.05 => {
            "Once all of them are labelled, the model’s accuracy over that time is known exactly.".to_owned()
        }
        Some(half) => format!(
            "Once all of them are labelled, the model’s accuracy over that time is known to about ± {:.1} points.",
            half * 100.0
        ),
        None => "Annotators see the answer, so these labels say nothing about accuracy.".to_owned(),
    };
    let chosen = usize::try_from(selected.chosen).unwrap_or(usize::MAX);
    view! {
        <section class="card campaigns__preview" aria-labelledby="preview-title">
            <h2 id="preview-title">{format!("It would choose {}", wording::count(chosen, "photo", "photos"))}</h2>
            <p>{words}</p>
            <div class="table-scroll" tabindex="0" role="region" aria-label="By kind of photo">
                <table class="data-table">
                    <thead><tr>
                        <th scope="col">"Photos"</th>
                        <th scope="col" class="number">"received"</th>
                        <th scope="col" class="number">"chosen"</th>
                        <th scope="col" class="number">"probability"</th>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            <ul class="campaigns__pictures">{pictures}</ul>
        </section>
    }
}
