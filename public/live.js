// Keeps the parts of a document that move up to date: each element with an id and `data-live` is replaced by what the
// server says now. A document on which nothing is marked asks for nothing. Without this script one reloads the page.
const EVERY = 2000;

const moving = () => [...document.querySelectorAll("[data-live][id]")];

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  // Signed out meanwhile, or the server is away: what is there stays.
  if (!answer.ok || answer.redirected) return;
  const now = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const old of moving()) {
    const fresh = now.getElementById(old.id);
    if (!fresh || fresh.isEqualNode(old)) continue;
    const { scrollTop, scrollLeft } = old;
    const focused = document.activeElement;
    const place = old.contains(focused) ? [...old.querySelectorAll("a, button, [tabindex]")].indexOf(focused) : -1;
    const held = old === focused;
    old.replaceWith(fresh);
    fresh.scrollTo(scrollLeft, scrollTop);
    if (held) fresh.focus();
    else if (place >= 0) fresh.querySelectorAll("a, button, [tabindex]")[place]?.focus();
  }
  // What is offered once it is over differs from what was offered before: a whole page then.
  if (moving().length === 0) location.reload();
}

async function follow() {
  if (moving().length === 0) return;
  if (document.visibilityState === "visible") await refresh().catch(() => {});
  setTimeout(follow, EVERY);
}

setTimeout(follow, EVERY);
