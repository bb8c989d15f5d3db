//! What the page shows where there is no photo to label.

use gourmetgram_api::{ProblemKind, ReviewCampaign, Role, Viewer};
use leptos::{either::Either, prelude::*};

use crate::{
    components::{EmptyState, Icon, Reason, TroubleNotice},
    review::{Asked, REVIEW},
    trouble::Trouble,
    wording::count,
};

/// There is no campaign.
#[component]
pub(super) fn Nothing() -> impl IntoView {
    let is_operator = expect_context::<Viewer>().role >= Role::Operator;
    view! {
        <EmptyState
            title="Review"
            icon=Icon::Tick
            heading="Nothing to review."
            lead="Here annotators label photos one after another, by keyboard and without seeing what the model said, so that their labels can measure it."
        >
            <div class="empty__reasons">
                <Reason heading="Why it is empty">
                    "Photos come here when a labelling campaign picks them, and none has picked any yet."
                </Reason>
                <Reason heading="What to do meanwhile">
                    {if is_operator {
                        "What visitors flagged or relabelled can be looked at among the photos."
                    } else {
                        "Nothing. Your account is ready for the day there is something to label."
                    }}
                </Reason>
            </div>
            {is_operator.then(|| view! {
                <p class="empty__actions"><a class="button" href="/photos" rel="external">"Look at the photos"</a></p>
            })}
        </EmptyState>
    }
}

/// Several campaigns, to choose one.
#[component]
pub(super) fn Campaigns(campaigns: Vec<ReviewCampaign>) -> impl IntoView {
    let cards = campaigns.into_iter().map(|campaign| {
        let address = Asked { campaign: Some(campaign.id), last: None }.address();
        let left = campaign.left();
        let words = match left {
            0 => "All labelled".to_owned(),
            left => format!("{left} of {} to label", count(campaign.photos as usize, "photo", "photos")),
        };
        view! {
            <li>
                <a class="card errand" href=address rel="external">
                    <span class="errand__name">{campaign.name.clone()}</span>
                    <Kind blind=campaign.blind/>
                    <progress
                        class="progress"
                        max=campaign.photos.max(1)
                        value=campaign.labelled
                        aria-label=format!("{} of {} labelled", campaign.labelled, campaign.photos)
                    ></progress>
                    <span class="errand__left">{words}</span>
                </a>
            </li>
        }
    });
    view! {
        <div class="errands">
            <h1 class="errands__title">"What would you like to label?"</h1>
            <ul class="errands__list">{cards.collect_view()}</ul>
        </div>
    }
}

/// Whether annotators learn what the model said.
#[component]
pub(super) fn Kind(blind: bool) -> impl IntoView {
    match blind {
        true => Either::Left(view! {
            <span class="badge" title="You are not told what the model said, so that your labels can measure it.">
                {Icon::Covered.view()} <span>"Blind"</span>
            </span>
        }),
        false => Either::Right(view! {
            <span class="badge" title="You are told what the model said.">
                {Icon::Gauge.view()} <span>"Answer shown"</span>
            </span>
        }),
    }
}

/// The address names a campaign that is not here.
#[component]
pub(super) fn Unknown() -> impl IntoView {
    view! {
        <div class="closed">
            <h1>"That campaign is not here."</h1>
            <p>"It is finished and put away, it is labelled elsewhere, or its address has a typo."</p>
            <a class="button button--primary" href=REVIEW rel="external">"To what is there"</a>
        </div>
    }
}

/// Nothing is left for this annotator.
#[component]
pub(super) fn Finished(
    progress: Signal<ReviewCampaign>,
    answers: Signal<usize>,
    is_one_of_several: bool,
) -> impl IntoView {
    let left = move || progress.with(ReviewCampaign::left);
    view! {
        <div class="finished">
            <div class="finished__sign" aria-hidden="true">{Icon::Check.view()}</div>
            <p class="finished__title" role="status">
                {move || if left() == 0 { "All done." } else { "All done for you." }}
            </p>
            <p class="finished__words">
                {move || progress.with(|progress| match progress.left() {
                    0 if progress.photos == 1 => "The one photo of this campaign has its label.".to_owned(),
                    0 => format!("All {} photos of this campaign have their labels.", progress.photos),
                    left => format!(
                        "{} still wait, but not for you: somebody else looks at them, they are to be labelled by a second person, or you passed them over.",
                        count(left as usize, "photo", "photos"),
                    ),
                })}
                {move || (answers.get() > 0).then(|| format!(" You labelled {} just now.", count(answers.get(), "photo", "photos")))}
            </p>
            <p class="finished__actions">
                {move || (left() > 0).then(|| {
                    let again = progress.with(|progress| Asked { campaign: Some(progress.id), last: None }.address());
                    view! { <a class="button button--primary" href=again rel="external">"Look again"</a> }
                })}
                {is_one_of_several.then(|| view! { <a class="button" href=REVIEW rel="external">"Other campaigns"</a> })}
            </p>
        </div>
    }
}

/// Why there is no page, and what to do about it.
#[component]
pub(super) fn Closed(trouble: Trouble) -> impl IntoView {
    let is_nameless = matches!(&trouble, Trouble::Refused(problem) if problem.kind == ProblemKind::Forbidden);
    view! {
        <div class="closed">
            <h1>{if is_nameless { "Labels carry a name." } else { "We cannot show the photos right now." }}</h1>
            {match is_nameless {
                true => Either::Left(view! {
                    <p>
                        "You came by a link and have no account yet. Whoever looks at a label later wants to know who gave it, so make an account first, then come back."
                    </p>
                    <a class="button button--primary" href="/login/account" rel="external">"Make an account"</a>
                }),
                false => Either::Right(view! {
                    <TroubleNotice trouble/>
                    <a class="button button--primary" href=REVIEW rel="external">"Try again"</a>
                }),
            }}
        </div>
    }
}
