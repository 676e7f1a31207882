import { byId, el, table, write } from "./dom.js";
import { clock, moment, number, percent, price, quantity, signed, span, tone, words } from "./format.js";
import { draw } from "./chart.js";

const SHAPES = { running: "●", paused: "❚❚", stopped: "■", killed: "✖" };

export function status(content) {
  const badge = byId("state");
  badge.dataset.state = content.state;
  write("state", `${SHAPES[content.state]} ${content.state}`);
  const halt = content.halt;
  const by = halt ? `${halt.kind} by ${halt.operator ?? "an unnamed operator"}: ${halt.reason}${shown(content)}` : "";
  write("why", content.problem ? `The guard's bus: ${content.problem}` : by);
  byId("why").hidden = !(content.problem || by);
  byId("why").dataset.state = content.problem ? "killed" : content.state;
  byId("resume").disabled = !content.can_resume;
  document.title = `${content.state} – Leitstand`;
}

/** What the venues have shown since a kill: nobody should have to search for it in the feed. */
function shown({ state, confirmed, unconfirmed }) {
  if (state !== "killed") return "";
  if (unconfirmed.length) return ` — ▲ not confirmed at the venue yet: ${unconfirmed.join(", ")}`;
  return confirmed.length ? ` — ✔ confirmed at the venue: ${confirmed.join(", ")}` : "";
}

export function figures(session, book) {
  write("equity", number(session.equity));
  write("quote", session.quote);
  write("pnl", signed(session.pnl), tone(session.pnl));
  write("pnl-share", percent(Number(session.pnl) / Number(session.initial_capital)));
  write("drawdown", percent(session.drawdown));
  write("active", book ? String(book.positions.length) : "0");
  write("trades", `${session.trades} closed, ${session.wins} won`);
  write("phase", session.phase ? words(session.phase) : "–");
  write("market", session.market_time ? `${moment(session.market_time)} UTC` : "–");
}

export function curve(session, content) {
  draw(byId("chart"), content?.points ?? [], Number(session.initial_capital));
}

export function book(content) {
  const { positions, orders, limits } = content ?? { positions: [], orders: [], limits: [] };
  table(byId("positions"), positions.map(position), 6, "No open position.");
  table(byId("orders"), orders.map(order), 6, "No open order.");
  byId("limits").replaceChildren(...(limits.length ? limits.map(gauge) : [el("p", { class: "empty" }, "No session is running.")]));
}

const cell = (text, kind) => el("td", kind ? { class: kind } : {}, text);

function position(held) {
  const pnl = held.pnl === null ? cell("–", "num") : cell(signed(held.pnl), "num");
  if (held.pnl !== null) pnl.dataset.tone = tone(held.pnl);
  return el("tr", {},
    el("td", {}, held.symbol, el("div", { class: "tight quiet small" }, held.strategy)),
    cell(held.strategy, "quiet roomy"), cell(quantity(held.qty), "num"),
    cell(held.entry_price === null ? "–" : price(held.entry_price), "num roomy"), cell(price(held.price), "num"), pnl);
}

function order(open) {
  return el("tr", {},
    el("td", {}, open.symbol, el("div", { class: "tight quiet small" }, open.purpose)),
    cell(`${open.side === "buy" ? "↗" : "↘"} ${open.side}`, "side"), cell(words(open.type)), cell(open.purpose, "quiet roomy"), cell(quantity(open.leaves), "num"), cell(price(open.price), "num"));
}

function gauge(limit) {
  const share = limit.share === null ? null : Number(limit.share);
  const show = (text) => measure(text, limit.unit);
  const name = words(limit.limit).replace(" api ", " API ");
  const head = el("div", { class: "gauge-head" }, el("span", {}, name));
  if (share === null) {
    const each = limit.unit === "share" && limit.bound !== "off" && limit.used === null ? " an order" : "";
    const use = limit.used === null ? "" : `${show(limit.used)}, bound `;
    head.append(el("span", { class: "num quiet" }, `${use}${words(show(limit.bound))}${each}`));
    return el("div", { class: "gauge" }, head);
  }
  const level = share >= 0.9 ? "full" : share >= 0.7 ? "high" : "low";
  const mark = { full: "✖ ", high: "▲ ", low: "" }[level];
  head.append(el("span", { class: "num" }, `${mark}${show(limit.used)} of ${show(limit.bound)}`));
  const fill = el("div", { class: "fill", "data-level": level });
  fill.style.width = `${Math.min(share, 1) * 100}%`;
  const label = { role: "meter", "aria-label": name, "aria-valuemin": 0, "aria-valuemax": 100 };
  const bar = el("div", { class: "bar", ...label, "aria-valuenow": Math.round(share * 100) }, fill);
  return el("div", { class: "gauge" }, head, bar, el("div", { class: "quiet small" }, `${show(limit.headroom)} left`));
}

function measure(text, unit) {
  if (unit === "share" && !Number.isNaN(Number(text))) return percent(text);
  const seconds = unit === "time" && /^(\d+)s/.exec(text);
  return seconds ? span(Number(seconds[1])) : text;
}

export function venue(content, session) {
  const unknown = session?.mode === "dry_run" ? "– (a simulated venue)" : "not yet";
  const down = Object.entries(content.down);
  const lost = down.map(([peer, at]) => `${peer} since ${clock(at)} UTC`).join(", ");
  write("venue-connection", down.length ? `▼ lost: ${lost}` : "● nothing is known to be lost", down.length ? "loss" : "even");
  write("venue-errors", content.errors ? `${content.errors}, last at ${clock(content.last_error_at)} UTC` : "none");
  write("venue-last", content.last_error ?? "");
  write("venue-latency", content.latency_ms === null ? unknown : `${number(content.latency_ms, 0)} ms`);
  const books = content.books;
  const verdict = books?.agree ? "● agree" : "▼ differ";
  write("venue-books", books ? `${verdict}, looked at ${clock(books.at)} UTC` : unknown, books && !books.agree ? "loss" : "even");
}

/** What grows older by itself. `now` is the desk's clock in milliseconds. */
export function ages(services, session, upSince, now) {
  write("uptime", upSince ? span((now - Date.parse(upSince)) / 1000) : "–");
  const rows = Object.entries(services ?? {}).map(([name, beat]) => service(name, beat, now));
  byId("services").replaceChildren(...rows);
  const { ended_at, heard_at } = session ?? {};
  write("heartbeat", ended_at ? "ended" : heard_at ? `${span((now - Date.parse(heard_at)) / 1000)} ago` : "never");
}

function service(name, beat, now) {
  const age = beat.at ? (now - Date.parse(beat.at)) / 1000 : null;
  const silent = age > beat.overdue_seconds;
  const [mark, word, kind] = !beat.expected ? ["○", "no session is running", "even"]
    : age === null ? ["○", "not heard yet", "even"]
    : silent ? ["▼", `silent for ${span(age)}`, "loss"]
    : ["●", `heard ${span(age)} ago`, "gain"];
  const up = beat.expected && age !== null && !silent ? `up ${span(beat.uptime_seconds + age)}` : "";
  const state = el("td", { "data-tone": kind }, `${mark} ${word}`);
  return el("tr", {}, el("th", { scope: "row" }, name), state, el("td", { class: "num quiet" }, up));
}
