//! A page that has nothing to show yet.

use leptos::prelude::*;
use leptos_meta::Title;

use super::Icon;

/// Says what a page is for, why it is empty, and what to do now. The children are the reasons and the ways on.
#[component]
pub fn EmptyState(
    /// What the browser's tab calls the page.
    title: &'static str,
    /// On the plate.
    icon: Icon,
    /// The heading.
    heading: &'static str,
    /// What will be here.
    lead: &'static str,
    /// Why there is nothing yet, and what to do.
    children: Children,
) -> impl IntoView {
    view! {
        <Title text=title/>
        <div class="empty">
            <div class="plate" aria-hidden="true">
                <div class="plate__well">
                    <svg class="plate__cutlery" viewBox="0 0 24 24" focusable="false"><path d=icon.path()/></svg>
                </div>
            </div>
            <div class="empty__words">
                <h1 class="empty__title">{heading}</h1>
                <p class="empty__lead">{lead}</p>
                {children()}
            </div>
        </div>
    }
}

/// One reason or piece of advice of an [`EmptyState`]: a small heading with a sentence or two.
#[component]
pub fn Reason(
    /// The small heading.
    heading: &'static str,
    /// The sentences.
    children: Children,
) -> impl IntoView {
    view! {
        <div>
            <h2>{heading}</h2>
            <p>{children()}</p>
        </div>
    }
}
