// Keeps the parts of a document that move up to date: each element with an id and `data-live` is replaced by what the
// server says now, every so many seconds as its `data-live` says, every two where that is empty. A document on which
// nothing is marked asks for nothing. Without this script one reloads the page.
const moving = () => [...document.querySelectorAll("[data-live][id]")];
const every = () => 1000 * Math.min(...moving().map((part) => Number(part.dataset.live) || 2));

// Somebody marks words in it: they would be gone.
const isRead = (part) => {
  const marked = getSelection();
  return marked !== null && !marked.isCollapsed && marked.containsNode(part, true);
};

// What scrolls in its own frame can be reached by keyboard, and stays where it was scrolled to.
const scrollers = (part) => [part, ...part.querySelectorAll("[tabindex]")];
const scrolled = (part) => scrollers(part).map(({ scrollLeft, scrollTop }) => [scrollLeft, scrollTop]);

// What the keyboard is on, in the new part: the same link, which may have moved, or what stands in its place.
function twinOf(focused, old, fresh) {
  const stops = (part) => [...part.querySelectorAll("a, button, summary, [tabindex]")];
  const address = focused.getAttribute("href");
  const now = stops(fresh);
  const there = now[stops(old).indexOf(focused)];
  if (there?.getAttribute("href") === address) return there;
  return (address && now.find((stop) => stop.getAttribute("href") === address)) || there;
}

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  // Signed out meanwhile, or the server is away: what is there stays.
  if (!answer.ok || answer.redirected) return;
  const now = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const old of moving()) {
    const fresh = now.getElementById(old.id);
    if (!fresh || isRead(old)) continue;
    // What was opened stays open.
    for (const opened of old.querySelectorAll("details[id]")) {
      fresh.querySelector(`#${CSS.escape(opened.id)}`)?.toggleAttribute("open", opened.open);
    }
    if (fresh.isEqualNode(old)) continue;
    const places = scrolled(old);
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const twin = focused === old ? fresh : focused && twinOf(focused, old, fresh);
    old.replaceWith(fresh);
    for (const [number, part] of scrollers(fresh).entries()) part.scrollTo(...(places[number] ?? [0, 0]));
    twin?.focus({ preventScroll: true });
  }
  // What is offered once it is over differs from what was offered before: a whole page then.
  if (moving().length === 0) location.reload();
}

async function follow() {
  if (moving().length === 0) return;
  if (document.visibilityState === "visible") await refresh().catch(() => {});
  setTimeout(follow, every());
}

if (moving().length > 0) setTimeout(follow, every());
