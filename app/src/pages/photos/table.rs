//! The list as a table.

use gourmetgram_api::{SortKey, SortOrder};
use leptos::prelude::*;

use super::{
    list::{List, SortLink},
    marks::Marks,
    sheet::{Small, Tick},
};
use crate::{
    components::Moment,
    explore::{Browse, Card},
    wording::{percent, place},
};

/// The names of the columns; those that sort say how.
#[component]
pub(super) fn TableHead(asked: Memo<Browse>) -> impl IntoView {
    let sorts = move |key: SortKey| match asked.with(Browse::sorted_by) {
        (now, SortOrder::Ascending) if now == key => Some("ascending"),
        (now, SortOrder::Descending) if now == key => Some("descending"),
        _ => None,
    };
    view! {
        <thead>
            <tr>
                <th scope="col"><span class="visually-hidden">"Select"</span></th>
                <th scope="col"><span class="visually-hidden">"Picture"</span></th>
                <th scope="col" aria-sort=move || sorts(SortKey::Class)>
                    <SortLink key=SortKey::Class name="Class" asked/>
                </th>
                <th scope="col" aria-sort=move || sorts(SortKey::Confidence)>
                    <SortLink key=SortKey::Confidence name="Confidence" asked/>
                </th>
                <th scope="col" aria-sort=move || sorts(SortKey::Time)>
                    <SortLink key=SortKey::Time name="Time" asked/>
                </th>
                <th scope="col">"What was said"</th>
                <th scope="col">"Model"</th>
                <th scope="col">"Buckets"</th>
            </tr>
        </thead>
    }
}

/// One photo.
#[component]
pub(super) fn Line(card: ArcRwSignal<Card>) -> impl IntoView {
    let list = expect_context::<List>();
    let known = card.get_untracked();
    let id = known.id;
    let places: Vec<&str> = known.places.iter().map(|known| place(*known)).collect();
    let places = if places.is_empty() { "on its way".to_owned() } else { places.join(", ") };
    view! {
        <tr class="line" class:line--ticked=move || list.selection.has(id)>
            <td><Tick card=known.clone()/></td>
            <td class="line__picture"><Small id side=96/></td>
            <td class="line__label">
                <a class="line__link" href=move || list.asked.with(|asked| asked.photo(id))>{known.label.clone()}</a>
            </td>
            <td class="line__percent">{percent(known.confidence.get())}</td>
            <td class="line__time"><Moment at=known.at/></td>
            <td><span class="line__marks"><Marks card=card.into()/></span></td>
            <td>{known.model_version}</td>
            <td>{places}</td>
        </tr>
    }
}
