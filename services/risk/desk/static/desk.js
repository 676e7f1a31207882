import { listen } from "./api.js";
import { byId, write } from "./dom.js";
import * as commands from "./commands.js";
import * as feed from "./feed.js";
import * as panels from "./panels.js";
import * as sessions from "./sessions.js";

const known = new Map();
const CONNECTION = { connecting: "○ connecting …", live: "● live", reconnecting: "▼ connection lost, trying again …" };
let chosen = null;
let ahead = 0;

const all = () => [...known].filter(([name]) => name.startsWith("session:")).map(([, content]) => content);
const current = () => known.get(`session:${chosen}`) ?? sessions.newestFirst(all())[0] ?? null;

function told(message) {
  ahead = Date.parse(message.at) - Date.now();
  if (message.whole) known.clear();
  for (const name of message.gone) known.delete(name);
  for (const [name, content] of Object.entries(message.set)) known.set(name, content);
  const changed = Object.keys(message.set).concat(message.gone);
  if (changed.length) show(changed);
  if (message.whole) feed.refresh();
  else feed.add(message.lines);
}

function show(changed) {
  if (changed.includes("status")) panels.status(known.get("status"));
  const session = current();
  if (known.has("venue")) panels.venue(known.get("venue"), session);
  const choose = (id) => { chosen = id; show(["session:"]); };
  if (changed.some((name) => name.startsWith("session:"))) sessions.show(all(), session?.id, choose);
  byId("session").hidden = session === null;
  byId("nothing").hidden = session !== null;
  if (session) {
    write("session-name", session.name);
    write("session-note", `${session.mode.replace("_", " ")} on ${session.venue} · ${session.symbols.join(", ")}`);
    panels.figures(session, known.get(`book:${session.id}`));
    panels.curve(session, known.get(`curve:${session.id}`));
  }
  panels.book(session && known.get(`book:${session.id}`));
  age();
}

function age() {
  panels.ages(known.get("services"), current(), known.get("status")?.up_since, Date.now() + ahead);
}

function connection(state) {
  const pill = byId("connection");
  pill.dataset.state = state;
  if (pill.textContent !== CONNECTION[state]) pill.textContent = CONNECTION[state];
  document.body.classList.toggle("stale", state === "reconnecting");
}

feed.start();
sessions.start(() => show(["session:"]));
commands.start(() => ({ asks_code: known.get("status")?.asks_code ?? true, session: current()?.ended_at ? null : current() }));
listen(told, connection);
setInterval(() => { age(); feed.age(); }, 1000);
addEventListener("resize", () => show([]));
