//! The page `/review`: where annotators will label photos.

use gourmetgram_api::{Role, Viewer};
use leptos::prelude::*;

use crate::components::{EmptyState, Icon, Reason};

/// Says what will be here, and where to look meanwhile.
#[component]
pub fn ReviewPage() -> impl IntoView {
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
                        "Photos come here when a labelling campaign picks them, and this version has no campaigns yet."
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
