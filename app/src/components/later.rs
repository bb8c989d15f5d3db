//! Parts of a page that come alive in tasks of their own.
//!
//! Hydrating a long page in one go keeps a phone's only thread from a finger for too long. What is wrapped by [`later`] is
//! left as the server rendered it while the page around it comes alive, and comes alive itself in a task that follows.

#[cfg(not(feature = "ssr"))]
pub(crate) use self::in_browser::later;

/// The only child of its element, hydrated after what is around it. What `part` makes must not wait for anything. On the
/// server, and in a page that is built by the browser, it is built at once.
#[cfg(feature = "ssr")]
pub(crate) fn later<V>(part: impl FnOnce() -> V + Send + 'static) -> V {
    part()
}

/// How many parts of the page still sleep; the page is not alive before they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sleeping(leptos::prelude::RwSignal<usize>);

impl Sleeping {
    /// Nothing sleeps yet.
    pub(crate) fn none() -> Self {
        Self(leptos::prelude::RwSignal::new(0))
    }

    /// Whether anything does; tells who asks when that changes.
    pub(crate) fn is_over(self) -> bool {
        use leptos::prelude::Get;
        self.0.get() == 0
    }
}

#[cfg(not(feature = "ssr"))]
mod in_browser {
    use std::{cell::RefCell, rc::Rc, time::Duration};

    use leptos::{
        prelude::*,
        tachys::{
            html::attribute::{Attribute, any_attribute::AnyAttribute},
            hydration::Cursor,
            renderer::types::{Element, Node},
            view::{Mountable, Position, PositionState, Render, RenderHtml, add_attr::AddAnyAttr},
        },
    };
    use wasm_bindgen::JsCast;

    use super::Sleeping;

    /// The only child of its element, hydrated after what is around it. What `part` makes must not wait for anything. On
    /// the server, and in a page that is built by the browser, it is built at once.
    pub(crate) fn later<V: RenderHtml>(part: impl FnOnce() -> V + Send + 'static) -> Later<V> {
        Later { part: Box::new(part), owner: Owner::current() }
    }

    /// See [`later`].
    pub(crate) struct Later<V> {
        part: Box<dyn FnOnce() -> V + Send>,
        owner: Option<Owner>,
    }

    impl<V> Later<V> {
        fn make(self) -> V {
            (self.part)()
        }
    }

    /// What is there of a part: nothing while it sleeps. Its nodes are then in its element, and go with it.
    pub(crate) struct Part<S>(Rc<RefCell<Option<S>>>);

    impl<V: RenderHtml + 'static> Render for Later<V> {
        type State = Part<V::State>;

        fn build(self) -> Self::State {
            Part(Rc::new(RefCell::new(Some(self.make().build()))))
        }

        fn rebuild(self, state: &mut Self::State) {
            if let Some(state) = state.0.borrow_mut().as_mut() {
                self.make().rebuild(state);
            }
        }
    }

    impl<V: RenderHtml + 'static> RenderHtml for Later<V> {
        type AsyncOutput = V::AsyncOutput;
        type Owned = Self;

        const MIN_LENGTH: usize = V::MIN_LENGTH;

        fn dry_resolve(&mut self) {}

        async fn resolve(self) -> Self::AsyncOutput {
            self.make().resolve().await
        }

        fn to_html_with_buf(
            self,
            buffer: &mut String,
            position: &mut Position,
            escape: bool,
            mark_branches: bool,
            attributes: Vec<AnyAttribute>,
        ) {
            self.make().to_html_with_buf(buffer, position, escape, mark_branches, attributes);
        }

        fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, _: &PositionState) -> Self::State {
            let Self { part, owner } = self;
            let state = Rc::new(RefCell::new(None));
            // An element's children are hydrated with the cursor still at the element.
            let Ok(element) = cursor.current().dyn_into::<Element>() else { return Part(state) };
            let sleeping = use_context::<Sleeping>().map(|Sleeping(number)| number);
            if let Some(number) = sleeping {
                number.update_untracked(|number| *number += 1);
            }
            let owner = owner.unwrap_or_default();
            let awake = {
                let (state, owner) = (Rc::clone(&state), owner.clone());
                move || {
                    let awakened = owner.with(|| {
                        let at = Cursor::new(element);
                        part().hydrate::<FROM_SERVER>(&at, &PositionState::new(Position::FirstChild))
                    });
                    *state.borrow_mut() = Some(awakened);
                    if let Some(number) = sleeping {
                        number.try_update(|number| *number -= 1);
                    }
                }
            };
            if let Ok(task) = set_timeout_with_handle(awake, Duration::ZERO) {
                // Who has left the page meanwhile needs no part of it.
                owner.with(|| on_cleanup(move || task.clear()));
            }
            Part(state)
        }

        fn into_owned(self) -> Self::Owned {
            self
        }
    }

    /// Attributes belong to the element around it.
    impl<V: RenderHtml + 'static> AddAnyAttr for Later<V> {
        type Output<SomeNewAttr: Attribute> = Self;

        fn add_any_attr<NewAttr: Attribute>(self, _: NewAttr) -> Self::Output<NewAttr> {
            self
        }
    }

    impl<S: Mountable> Mountable for Part<S> {
        fn unmount(&mut self) {
            if let Some(state) = self.0.borrow_mut().as_mut() {
                state.unmount();
            }
        }

        fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
            if let Some(state) = self.0.borrow_mut().as_mut() {
                state.mount(parent, marker);
            }
        }

        fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
            self.0.borrow().as_ref().is_some_and(|state| state.insert_before_this(child))
        }

        fn elements(&self) -> Vec<Element> {
            self.0.borrow().as_ref().map(Mountable::elements).unwrap_or_default()
        }
    }
}
