import { byId, el, table } from "./dom.js";
import { moment, signed, tone } from "./format.js";

const SHAPES = { running: "●", paused: "❚❚", stopped: "■", killed: "✖", success: "✔", failed: "▼" };

function fits(session) {
  const text = byId("session-search").value.trim().toLowerCase();
  const date = byId("session-date").value, result = byId("session-result").value;
  const strategy = byId("session-strategy").value;
  return (!text || session.name.toLowerCase().includes(text) || session.id.includes(text))
    && (!date || session.started_at.startsWith(date))
    && (!result || (Number(session.pnl) > 0) === (result === "profit"))
    && (!strategy || session.strategies.includes(strategy));
}

function row(session, chosen, choose) {
  const pick = el("button", {
    class: "pick", "aria-pressed": String(session.id === chosen), "data-session": session.id, onclick: () => choose(session.id),
  }, session.name);
  return el("tr", { class: session.id === chosen ? "chosen" : null },
    el("td", {}, pick, el("div", { class: "quiet small" }, `${session.id.slice(0, 8)} · ${session.mode.replace("_", " ")}`)),
    el("td", {}, `${SHAPES[session.status] ?? "●"} ${session.status}`),
    el("td", { class: "quiet" }, session.strategies.join(", ")),
    el("td", { class: "num quiet" }, moment(session.started_at)),
    el("td", { class: "num", "data-tone": tone(session.pnl) }, signed(session.pnl)));
}

export function newestFirst(sessions) {
  const order = (session) => `${session.ended_at ? 0 : 1}${session.started_at}`;
  return [...sessions].sort((a, b) => (order(a) < order(b) ? 1 : -1));
}

export function show(sessions, chosen, choose) {
  const focused = document.activeElement?.dataset?.session;
  const rows = newestFirst(sessions).filter(fits).map((session) => row(session, chosen, choose));
  table(byId("sessions"), rows, 5, sessions.length ? "No session fits these filters." : "No session has run yet.");
  if (focused) byId("sessions").querySelector(`[data-session="${focused}"]`)?.focus();
  const names = [...new Set(sessions.flatMap((session) => session.strategies))].sort();
  const choice = byId("session-strategy");
  if (choice.options.length !== names.length + 1) {
    const kept = choice.value;
    choice.replaceChildren(el("option", { value: "" }, "any"), ...names.map((name) => el("option", { value: name }, name)));
    choice.value = kept;
  }
}

export function start(changed) {
  for (const id of ["session-search", "session-date", "session-result", "session-strategy"]) {
    byId(id).addEventListener("input", changed);
  }
}
