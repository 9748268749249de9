// What pages do beyond HTML. Without it all but the live board works, and links need their code pasted.
"use strict";

// The viewer's time zone, for the server to write times in.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes(`callrace-zone=${zone};`)) {
  const safe = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `callrace-zone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${safe}`;
}

// A link's token stands in the fragment, which the browser sends to nobody: it goes into the form, out of the address.
const token = document.querySelector("input[data-token]");
if (token && location.hash.length > 1) {
  token.value = location.hash.slice(1);
  token.closest("label").hidden = true;
  history.replaceState(null, "", location.pathname);
}

// Who sent a form twice sent it once.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

document.addEventListener("click", (event) => {
  const copy = event.target.closest("button[data-copy]");
  if (copy) {
    navigator.clipboard.writeText(document.getElementById(copy.dataset.copy).textContent).then(() => {
      copy.textContent = copy.dataset.done;
    });
  }
});

// Tables sort by a press on a heading: numbers as numbers, times as times, all else as text.
for (const table of document.querySelectorAll("table[data-sorts]")) {
  table.querySelectorAll("thead th").forEach((heading, column) => {
    if (!heading.textContent.trim()) return;
    const button = document.createElement("button");
    button.className = "sort";
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sort(table, heading, column));
  });
}

function sort(table, heading, column) {
  const falls = heading.getAttribute("aria-sort") === "ascending";
  const value = (row) => row.cells[column]?.dataset.value ?? row.cells[column]?.textContent.trim() ?? "";
  const number = (text) => (text !== "" && Number.isFinite(Number(text)) ? Number(text) : null);
  const body = table.tBodies[0];
  const rows = [...body.rows].sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    const [m, n] = [number(a), number(b)];
    return m !== null && n !== null ? m - n : a.localeCompare(b);
  });
  body.append(...(falls ? rows.reverse() : rows));
  table.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
  heading.setAttribute("aria-sort", falls ? "descending" : "ascending");
}

// The live board: the server sends each part of it when that part has changed, as HTML that it escaped.
const board = document.querySelector("[data-live]");
if (board) watch(board);

function watch(place) {
  const state = document.getElementById("connection");
  const button = document.getElementById("hold");
  let source = null;
  const open = () => {
    source = new EventSource(place.dataset.live);
    source.addEventListener("part", (event) => {
      const { id, html } = JSON.parse(event.data);
      const part = document.getElementById(id);
      if (part) part.innerHTML = html;
      age();
    });
    source.addEventListener("open", () => tell(place.dataset.on, true));
    source.addEventListener("error", () => tell(place.dataset.off, false));

  };
  const tell = (text, isOn) => {
    if (state.lastChild.textContent !== text) state.lastChild.textContent = text;
    state.firstElementChild.classList.toggle("on", isOn);
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    const held = source !== null;
    if (held) { source.close(); source = null; tell(place.dataset.held, false); } else open();
    button.textContent = held ? button.dataset.go : button.dataset.stop;
  });
  open();
  setInterval(age, 1000);
}

// How long ago something began, counted here, so that nothing is sent for it.
function age() {
  for (const time of document.querySelectorAll("time[data-age]")) {
    const seconds = Math.max(0, Math.round((Date.now() - Date.parse(time.dateTime)) / 1000));
    time.textContent = seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }
}
age();
