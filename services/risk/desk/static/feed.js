import { byId, el, table } from "./dom.js";
import { clock, words } from "./format.js";
import { events } from "./api.js";

const SHOWN = 100;
const LEVELS = ["debug", "info", "warning", "error"];
const MARKS = { debug: "·", info: "●", warning: "▲", error: "✖" };
const QUIET = "-heartbeat,-candle_closed,-equity_marked,-shadow_marked,-summary_updated,-audit_head";
const MINUTES = { 15: 15, 60: 60, 240: 240 };
let lines = [];
let asked = 0;
/** What was told while the desk was being asked, whose answer may be older; null while it is not. */
let meanwhile = null;

function since() {
  const time = byId("feed-time").value;
  if (MINUTES[time]) return new Date(Date.now() - MINUTES[time] * 60_000).toISOString();
  if (time === "today") return new Date(new Date().setUTCHours(0, 0, 0, 0)).toISOString();
  return time === "custom" ? instant(byId("feed-from").value) : null;
}

function until() {
  return byId("feed-time").value === "custom" ? instant(byId("feed-to").value) : null;
}

/** What a field for date and time says: UTC, like every time on the page. */
const instant = (value) => (value ? new Date(`${value}Z`).toISOString() : null);

function query() {
  const wanted = {
    limit: SHOWN, type: byId("feed-type").value, phase: byId("feed-phase").value, level: byId("feed-level").value,
    since: since(), until: until(),
  };
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value));
}

function fits(line, wanted) {
  const names = (wanted.type ?? "").split(",").filter(Boolean);
  const out = names.filter((name) => name.startsWith("-")).map((name) => name.slice(1));
  const only = names.filter((name) => !name.startsWith("-"));
  return (!only.length || only.includes(line.type)) && !out.includes(line.type)
    && (!wanted.phase || wanted.phase === line.phase)
    && LEVELS.indexOf(line.level) >= LEVELS.indexOf(wanted.level ?? "debug")
    && (!wanted.since || line.at >= wanted.since) && (!wanted.until || line.at <= wanted.until);
}

/** The time of day, with the date where that is not today's. */
function when(at) {
  const today = at.slice(0, 10) === new Date().toISOString().slice(0, 10);
  return today ? clock(at) : `${at.slice(0, 10)} ${clock(at)}`;
}

function row(line) {
  return el("tr", { "data-level": line.level },
    el("td", {}, el("time", { datetime: line.at, title: line.at }, when(line.at))),
    el("td", { class: "level" }, `${MARKS[line.level]} ${line.level}`),
    el("td", {}, words(line.type)), el("td", { class: "quiet" }, line.service), el("td", { class: "text" }, line.text));
}

function show() {
  table(byId("feed"), lines.map(row), 5, "Nothing happened that fits these filters.");
  byId("feed-count").textContent = `${lines.length} of at most ${SHOWN}`;
}

/** Asks the desk for the newest events that fit the filters. */
export async function refresh() {
  const mine = ++asked;
  meanwhile ??= [];
  byId("feed-custom").hidden = byId("feed-time").value !== "custom";
  try {
    const found = await events(query());
    if (mine !== asked) return;
    lines = found.events;
    offer(found.types);
    show();
    caughtUp();
  } catch (error) {
    if (mine !== asked) return;
    meanwhile = null;
    table(byId("feed"), [], 5, `The feed can't be read: ${error.message}`);
  }
}

function caughtUp() {
  const late = meanwhile;
  meanwhile = null;
  add(late);
}

function offer(types) {
  const choice = byId("feed-type"), offered = new Set([...choice.options].map((option) => option.value));
  choice.append(...types.filter((name) => !offered.has(name)).map((name) => el("option", { value: name }, words(name))));
}

/** Puts new events on top, those that fit. */
export function add(told) {
  meanwhile?.push(...told);
  const wanted = query();
  const newest = lines[0]?.sequence ?? 0;
  const fresh = told.filter((line) => line.sequence > newest && fits(line, wanted)).reverse();
  if (!fresh.length) return;
  lines = [...fresh, ...lines].slice(0, SHOWN);
  show();
}

/** Lets go of what has grown too old for the filter. */
export function age() {
  const from = MINUTES[byId("feed-time").value] ? since() : null;
  const kept = from ? lines.filter((line) => line.at >= from) : lines;
  if (kept.length === lines.length) return;
  lines = kept;
  show();
}

/** Offers every type that the desk may tell of, and listens to the filters. */
export function start() {
  const choices = [["all but market data", QUIET], ["all", ""]];
  byId("feed-type").replaceChildren(...choices.map(([text, value]) => el("option", { value }, text)));
  for (const id of ["feed-time", "feed-type", "feed-phase", "feed-level", "feed-from", "feed-to"]) {
    byId(id).addEventListener("change", refresh);
  }
}
