// Brings the page up to date while it is looked at: what has changed is changed in place, so that
// focus, selection and scrolling stay. Without this script a <meta refresh> does the same, roughly.
"use strict";

const SECONDS = 5;
const main = document.querySelector("main");
const button = document.querySelector("#updates");
let on = true;

function sync(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || old.id !== fresh.id) {
    old.replaceWith(document.adoptNode(fresh));
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const name of old.getAttributeNames())
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  for (const name of fresh.getAttributeNames())
    if (old.getAttribute(name) !== fresh.getAttribute(name))
      old.setAttribute(name, fresh.getAttribute(name));
  const before = [...old.childNodes];
  const after = [...fresh.childNodes];
  for (let at = 0; at < Math.max(before.length, after.length); at++) {
    if (at >= after.length) before[at].remove();
    else if (at >= before.length) old.append(document.adoptNode(after[at]));
    else sync(before[at], after[at]);
  }
}

// XMLHttpRequest parses HTML itself: no string of ours becomes markup, as the policy wants it.
function update() {
  if (!on || document.hidden) return;
  const request = new XMLHttpRequest();
  request.open("GET", location.href);
  request.responseType = "document";
  request.timeout = 4 * SECONDS * 1000;
  request.onload = () => {
    const fresh = request.response && request.response.querySelector("main");
    document.body.classList.toggle("stale", !fresh);
    if (fresh) sync(main, fresh);
  };
  request.onerror = request.ontimeout = () => document.body.classList.add("stale");
  request.send();
}

if (main.dataset.live !== undefined) {
  button.hidden = false;
  button.addEventListener("click", () => {
    on = !on;
    button.textContent = on ? "Pause updates" : "Resume updates";
    update();
  });
  document.addEventListener("visibilitychange", update);
  setInterval(update, SECONDS * 1000);
}
