//! The page `/photos/{id}`: one photo with everything that is known of it, and what an operator does about it.

use gourmetgram_api::{
    ClassProbability, Decoder, Feedback, FeedbackKind, Neighbours, ObjectState, Prediction, PredictionId, StoredObject,
    StoredObjects,
};
use leptos::{either::EitherOf3, ev, html, prelude::*, task::spawn_local};
use leptos_meta::Title;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_params_map, use_query_map},
};

use super::{Closed, left::changed_elsewhere, loading};
use crate::{
    client,
    components::{FlagReasons, Icon, Moment, TroubleNotice},
    explore::{Browse, Card, Field, PhotoDetails},
    forms,
    judgement::Judgement,
    trouble::Trouble,
    wording::{self, certainty, file_size, flag_reason, percent, sent_smaller},
};

/// Loads the photo, then shows it.
#[component]
pub fn PhotoPage() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let id = Memo::new(move |_| params.read().get("id").and_then(|id| id.parse::<PredictionId>().ok()));
    let asked = Memo::new(move |_| Browse::read(&query.read()));
    let found = Resource::new_blocking(move || (id.get(), asked.get()), move |(id, asked)| loading::one(id, asked));
    view! {
        <Transition fallback=|| view! { <p class="loading" role="status">"Fetching the photo…"</p> }>
            {move || Suspend::new(async move {
                match found.await {
                    Ok(Some(details)) => EitherOf3::A(view! { <Photo details asked/> }),
                    Ok(None) => EitherOf3::B(view! { <Missing asked/> }),
                    Err(trouble) => EitherOf3::C(view! { <Title text="Not available"/> <Closed trouble/> }),
                }
            })}
        </Transition>
    }
}

#[component]
fn Missing(asked: Memo<Browse>) -> impl IntoView {
    view! {
        <Title text="Not here"/>
        <div class="lost">
            <div class="plate" aria-hidden="true">
                <div class="plate__well">
                    <p class="plaque lost__plaque">"404"</p>
                </div>
            </div>
            <div class="lost__words">
                <h1>"That photo is not here."</h1>
                <p>"It was erased, or its address has a typo."</p>
                <a class="button button--primary" href=move || asked.with(Browse::list)>"To the photos"</a>
            </div>
        </div>
    }
}

/// What the page's parts share. Copies are handles to the same state.
#[derive(Clone, Copy)]
struct Desk {
    id: PredictionId,
    prediction: RwSignal<Prediction>,
    objects: RwSignal<StoredObjects>,
    asked: Memo<Browse>,
    busy: RwSignal<bool>,
    trouble: RwSignal<Option<Trouble>>,
    said: RwSignal<Option<String>>,
}

impl Desk {
    /// Tells the server, then shows what is recorded.
    fn judge(self, judgement: Judgement) {
        self.work(async move {
            judgement.send(self.id).await?;
            self.look_again().await?;
            self.said.try_set(Some(judgement.confirmation()));
            Ok(())
        });
    }

    async fn look_again(self) -> Result<(), Trouble> {
        let (prediction, objects) = futures::join!(client::prediction(self.id), client::objects(self.id));
        let prediction = prediction?;
        changed_elsewhere(self.id, Some(Card::from(prediction.clone())));
        self.prediction.try_set(prediction);
        self.objects.try_set(objects?);
        Ok(())
    }

    fn work(self, work: impl Future<Output = Result<(), Trouble>> + 'static) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.trouble.set(None);
        self.said.set(None);
        spawn_local(async move {
            if let Err(refused) = work.await {
                self.trouble.try_set(Some(refused));
            }
            self.busy.try_set(false);
        });
    }

    /// The page's own address, for forms to come back to.
    fn here(self) -> String {
        self.asked.with(|asked| asked.photo(self.id))
    }
}

#[component]
fn Photo(details: PhotoDetails, asked: Memo<Browse>) -> impl IntoView {
    let PhotoDetails { prediction, classes, objects, neighbours } = details;
    let known = prediction.clone();
    let id = known.id;
    let desk = Desk {
        id,
        prediction: RwSignal::new(prediction),
        objects: RwSignal::new(objects),
        asked,
        busy: RwSignal::new(false),
        trouble: RwSignal::new(None),
        said: RwSignal::new(None),
    };
    view! {
        <Title text=known.predicted_class.clone()/>
        <article class="one" aria-labelledby="one-title" aria-busy=move || desk.busy.get().to_string()>
            <Beside neighbours asked/>
            <figure class="one__picture">
                <img
                    src=forms::image(id)
                    alt="The photo"
                    width=known.width
                    height=known.height
                    decoding="async"
                />
            </figure>
            <div class="one__panel">
                <PostedTrouble/>
                <header class="one__head">
                    <h1 class="one__title" id="one-title">{known.predicted_class.clone()}</h1>
                    <p class="one__sure">
                        <strong>{percent(known.confidence.get())}</strong>
                        " "
                        {certainty(known.confidence).to_ascii_lowercase()}
                    </p>
                </header>
                <Bars probabilities=known.probabilities.clone()/>
                <Actions desk classes/>
                <p class="one__said" role="status">
                    {move || desk.said.get().map(|text| view! { {Icon::Check.view()} <span>{text}</span> })}
                </p>
                {move || desk.trouble.get().map(|trouble| view! { <TroubleNotice trouble/> })}
            </div>
            <div class="one__records">
                <Facts prediction=known.clone()/>
                <History desk/>
                <Objects desk/>
            </div>
        </article>
    }
}

/// The way back to the list, and to the photos beside this one.
#[component]
fn Beside(neighbours: Neighbours, asked: Memo<Browse>) -> impl IntoView {
    let navigate = use_navigate();
    let to = move |id: PredictionId| asked.with(|asked| asked.photo(id));
    Effect::new(move |_| {
        let navigate = navigate.clone();
        let keys = window_event_listener(ev::keydown, move |event| {
            let is_typing = event.target().is_some_and(|target| {
                use wasm_bindgen::JsCast;
                target
                    .dyn_ref::<web_sys::Element>()
                    .is_some_and(|target| target.matches("input, select, textarea").unwrap_or(false))
            });
            if is_typing || event.alt_key() || event.ctrl_key() || event.meta_key() || event.shift_key() {
                return;
            }
            let beside = match event.key().as_str() {
                "ArrowLeft" => neighbours.previous,
                "ArrowRight" => neighbours.next,
                _ => None,
            };
            if let Some(id) = beside {
                navigate(&asked.get_untracked().photo(id), NavigateOptions::default());
            }
        });
        on_cleanup(move || keys.remove());
    });
    view! {
        <nav class="beside" aria-label="Photos of the list">
            <a class="beside__list" href=move || asked.with(Browse::list)>"All photos"</a>
            {neighbours.previous.map(|id| view! {
                <a class="beside__step" href=move || to(id) rel="prev"><span aria-hidden="true">"← "</span>"Previous"</a>
            })}
            {neighbours.next.map(|id| view! {
                <a class="beside__step" href=move || to(id) rel="next">"Next"<span aria-hidden="true">" →"</span></a>
            })}
        </nav>
    }
}

/// Every class with its probability, the most probable first.
#[component]
fn Bars(probabilities: Vec<ClassProbability>) -> impl IntoView {
    let mut classes = probabilities;
    classes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    let rows = classes.into_iter().enumerate().map(|(rank, ClassProbability { label, probability })| {
        view! {
            <li class="class" class:class--answer=rank == 0>
                <span class="class__label">{label}</span>
                <svg class="class__bar" aria-hidden="true" focusable="false">
                    <rect class="class__track" width="100%" height="100%" rx="3"/>
                    <rect class="class__fill" width=format!("{:.1}%", probability * 100.0) height="100%" rx="3"/>
                </svg>
                <span class="class__percent">{percent(probability)}</span>
            </li>
        }
    });
    view! { <ul class="one__bars" aria-label="Probability of each class">{rows.collect_view()}</ul> }
}

/// Flag, correct, download, erase. Each is a plain form that comes back here.
#[component]
fn Actions(desk: Desk, classes: Vec<String>) -> impl IntoView {
    let id = desk.id;
    let flag = Memo::new(move |_| desk.prediction.with(|prediction| prediction.flag));
    let corrected = Memo::new(move |_| desk.prediction.with(|prediction| prediction.corrected_class.clone()));
    let unflag = Signal::derive(move || forms::then(&forms::unflag(id), &desk.here()));
    let tell = Callback::new(move |judgement| desk.judge(judgement));
    let choice = NodeRef::<html::Select>::new();
    let correct = move |event: ev::MouseEvent| {
        event.prevent_default();
        if let Some(choice) = choice.get_untracked().filter(|choice| !choice.value().is_empty()) {
            desk.judge(Judgement::Correct(choice.value()));
        }
    };
    let uncorrect = move |event: ev::MouseEvent| {
        event.prevent_default();
        desk.judge(Judgement::Uncorrect);
    };
    let options = classes.into_iter().map(|label| {
        let at_first = corrected.with_untracked(|corrected| corrected.as_ref() == Some(&label));
        let chosen = {
            let label = label.clone();
            move || corrected.with(|corrected| corrected.as_ref() == Some(&label))
        };
        view! { <option value=label.clone() selected=at_first prop:selected=chosen>{label.clone()}</option> }
    });
    view! {
        <form
            class="one__action"
            method="post"
            action=move || forms::then(&forms::flag(id), &desk.here())
            aria-label="Flag"
        >
            <h2>"Flag"</h2>
            <div class="one__chips"><FlagReasons flag unflag tell/></div>
        </form>
        <form
            class="one__action"
            method="post"
            action=move || forms::then(&forms::correct(id), &desk.here())
            aria-label="Correct"
        >
            <h2>"Correct"</h2>
            <div class="one__correct">
                <label>
                    <span class="visually-hidden">"What it really is"</span>
                    <select class="select" name="label" node_ref=choice>
                        <option value="">"What it really is"</option>
                        {options.collect_view()}
                    </select>
                </label>
                <button class="button" type="submit" on:click=correct>"Correct"</button>
                {move || corrected.get().map(|_| view! {
                    <button
                        class="undo"
                        type="submit"
                        formaction=move || forms::then(&forms::uncorrect(id), &desk.here())
                        on:click=uncorrect
                    >
                        {Icon::Undo.view()}
                        "Undo"<span class="visually-hidden">" the correction"</span>
                    </button>
                })}
            </div>
        </form>
        <div class="one__more">
            <a class="button" href=forms::download(id) download="" rel="external">"Download"</a>
            <Erasing desk/>
        </div>
    }
}

/// Erases, after one question.
#[component]
fn Erasing(desk: Desk) -> impl IntoView {
    let navigate = use_navigate();
    let erase = move |event: ev::MouseEvent| {
        event.prevent_default();
        let navigate = navigate.clone();
        desk.work(async move {
            client::erase(desk.id).await?;
            changed_elsewhere(desk.id, None);
            navigate(&desk.asked.get_untracked().list(), NavigateOptions::default());
            Ok(())
        });
    };
    let action = move || forms::then(&forms::erase(desk.id), &desk.asked.with(Browse::list));
    view! {
        <details class="erase">
            <summary class="erase__ask">
                {Icon::Bin.view()}
                <span class="erase__when-closed">"Erase"<span class="visually-hidden">" this photo"</span></span>
                <span class="erase__when-open">"Keep it"</span>
            </summary>
            <form class="erase__confirm" method="post" action=action>
                <p>"Erase this photo from every bucket, with its answer and all that was said about it? It cannot be undone."</p>
                <button class="button button--danger" type="submit" disabled=desk.busy on:click=erase>"Erase for good"</button>
            </form>
        </details>
    }
}

#[component]
fn Facts(prediction: Prediction) -> impl IntoView {
    let kind = prediction.content_type.strip_prefix("image/").unwrap_or(&prediction.content_type).to_uppercase();
    let size = format!("{} × {}, {}, {kind}", prediction.width, prediction.height, file_size(prediction.bytes));
    let smaller = sent_smaller(&prediction);
    view! {
        <section class="record" aria-labelledby="facts-title">
            <h2 class="record__title" id="facts-title">"Facts"</h2>
            <dl class="record__facts">
                <dt>"Received"</dt><dd><Moment at=prediction.created_at/></dd>
                {prediction.source.map(|source| {
                    let others = Browse::default().with(Field::Source, source.clone()).list();
                    view! {
                        <dt>"Simulated"</dt>
                        <dd>"by " <a href=others>{source}<span class="visually-hidden">": all of its photos"</span></a></dd>
                    }
                })}
                <dt>"Model"</dt><dd>{prediction.model_version}</dd>
                <dt>"File"</dt><dd>{size}{smaller.map(|it| view! { <br/>{it} })}</dd>
                <dt>"Id"</dt><dd><code>{prediction.id.to_string()}</code></dd>
                {prediction.device.map(|device| {
                    let agrees = device.predicted_class == prediction.predicted_class;
                    let decoded = device.decoded_by.map(|decoder| match decoder {
                        Decoder::Classifier => ", decoded as on the server",
                        Decoder::Browser => ", decoded by the browser",
                    });
                    view! {
                        <dt>"On the device"</dt>
                        <dd>
                            <span class="record__verdict">{if agrees { "Agrees: " } else { "Differs: " }}</span>
                            {device.predicted_class} ", " {percent(device.confidence.get())} ", model " {device.model_version}
                            {decoded}
                        </dd>
                    }
                })}
                {prediction.annotation.map(|annotation| view! {
                    <dt>"Annotated"</dt>
                    <dd>{annotation.label} " by " {annotation.by} ", " <Moment at=annotation.at/></dd>
                })}
            </dl>
        </section>
    }
}

/// What was said, by whom and when.
#[component]
fn History(desk: Desk) -> impl IntoView {
    let steps = move || {
        let steps = desk.prediction.with(|prediction| prediction.history.clone());
        steps.into_iter().rev().map(|Feedback { kind, at, by }| {
            let what = match kind {
                FeedbackKind::Flagged { reason } => format!("Flagged: {}", flag_reason(reason).to_ascii_lowercase()),
                FeedbackKind::Unflagged => "Flag taken back".to_owned(),
                FeedbackKind::Corrected { label } => format!("Corrected to {label}"),
                FeedbackKind::Uncorrected => "Correction taken back".to_owned(),
            };
            view! { <li class="record__step"><span>{what}</span><span class="record__who">{by} ", " <Moment at/></span></li> }
        })
        .collect_view()
    };
    let is_empty = move || desk.prediction.with(|prediction| prediction.history.is_empty());
    view! {
        <section class="record" aria-labelledby="history-title">
            <h2 class="record__title" id="history-title">"History"</h2>
            {move || is_empty().then(|| view! { <p class="record__none">"Nobody has said anything about it."</p> })}
            <ol class="record__steps">{steps}</ol>
        </section>
    }
}

/// What lies in the object store now.
#[component]
fn Objects(desk: Desk) -> impl IntoView {
    let look = move |_| {
        desk.work(async move { desk.look_again().await });
    };
    let objects =
        move || desk.objects.get().objects.into_iter().map(|object| view! { <ObjectInBucket object/> }).collect_view();
    view! {
        <section class="record" aria-labelledby="objects-title">
            <h2 class="record__title" id="objects-title">"In the object store now"</h2>
            <ul class="record__objects">{objects}</ul>
            <button class="undo needs-script" type="button" on:click=look>"Look again"</button>
        </section>
    }
}

#[component]
fn ObjectInBucket(object: StoredObject) -> impl IntoView {
    let StoredObject { place, bucket, key, found } = object;
    let found = match found {
        ObjectState::Present { tags } => {
            let rows = tags.into_iter().map(|tag| view! { <dt>{tag.name}</dt><dd>{tag.value}</dd> }).collect_view();
            EitherOf3::A(view! {
                <p class="record__key"><code>{key}</code></p>
                <dl class="record__facts">{rows}</dl>
            })
        }
        ObjectState::Absent => EitherOf3::B(view! { <p class="record__none">"Not there."</p> }),
        ObjectState::Unknown => EitherOf3::C(view! {
            <p class="record__unknown">{Icon::Warning.view()} "The object store does not answer: nobody knows."</p>
        }),
    };
    view! {
        <li class="record__object">
            <h3>{wording::place(place)} " " <span class="record__bucket">{bucket}</span></h3>
            {found}
        </li>
    }
}

/// Why the form just posted was refused. Only the server, answering a form, has something to say here.
#[component]
fn PostedTrouble() -> impl IntoView {
    #[cfg(feature = "ssr")]
    let posted = use_context::<crate::backend::PostedProblem>().map(|posted| Trouble::from(posted.0));
    #[cfg(not(feature = "ssr"))]
    let posted = None::<Trouble>;
    posted.map(|trouble| view! { <TroubleNotice trouble/> })
}
