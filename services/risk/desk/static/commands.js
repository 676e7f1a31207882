import { byId, el } from "./dom.js";
import { post } from "./api.js";

const ASKS = {
  kill: ["Kill", "No new order leaves, open orders are cancelled, positions are closed where the session says so. It stays until someone resumes."],
  pause: ["Pause", "No new risk is taken. Open positions and their stops stay. It stays until someone resumes."],
  resume: ["Resume", "Trading goes on after a kill, a pause or a limit."],
  flatten: ["Flatten", "Every position is closed. Trading goes on afterwards."],
};
const dialog = byId("dialog");
let asking = null;
let context = () => ({ asks_code: false, session: null });

function open(name) {
  const { asks_code, session } = context();
  asking = name;
  const [title, text] = ASKS[name];
  const critical = name === "resume" || name === "flatten";
  byId("dialog-title").textContent = `${title}?`;
  byId("dialog-text").textContent = text;
  byId("dialog-problem").textContent = "";
  byId("reason").value = byId("totp").value = "";
  byId("reason").required = critical;
  byId("reason-optional").hidden = critical;
  byId("totp-field").hidden = byId("totp").disabled = !(critical && asks_code);
  const one = session ? [el("option", { value: session.id }, `only session ${session.name} (${session.id.slice(0, 8)})`)] : [];
  byId("scope").replaceChildren(el("option", { value: "" }, "everything"), ...one);
  const confirm = byId("confirm");
  confirm.textContent = `${title} now`;
  confirm.className = name === "kill" ? "danger" : "primary";
  confirm.disabled = false;
  if (!dialog.open) dialog.showModal();
  (critical ? byId("reason") : confirm).focus();
}

async function confirmed(event) {
  event.preventDefault();
  const confirm = byId("confirm");
  confirm.disabled = true;
  confirm.textContent = "Asking the guard …";
  const answer = await post(`/api/${asking}`, fields());
  confirm.disabled = false;
  confirm.textContent = `${ASKS[asking][0]} now`;
  if (answer.ok) {
    dialog.close();
    tell(answer.body.outcome === "unanswered" ? `${asking}: stored, but the guard has not answered yet` : `${asking}: carried out`);
  } else {
    byId("dialog-problem").textContent = problem(answer);
  }
}

function fields() {
  const given = { reason: byId("reason").value.trim(), totp: byId("totp").value.trim(), session: byId("scope").value };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value));
}

function problem({ status, body }) {
  if (!status) return "The desk can't be reached. From a terminal: make kill";
  return body.facts?.[0]?.message ?? body.error ?? `The desk answered ${status}.`;
}

function tell(text) {
  byId("notice").textContent = text;
  setTimeout(() => { byId("notice").textContent = ""; }, 6000);
}

/** Wires buttons and keys: K kills, P pauses, R resumes, F flattens; Escape takes a question back. */
export function start(read) {
  context = read;
  for (const name of Object.keys(ASKS)) byId(name).addEventListener("click", () => open(name));
  byId("ask").addEventListener("submit", confirmed);
  byId("cancel").addEventListener("click", () => dialog.close());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
    if (event.target.closest("input, select, textarea")) return;
    const name = { k: "kill", p: "pause", r: "resume", f: "flatten" }[event.key.toLowerCase()];
    if (!name || byId(name).disabled) return;
    event.preventDefault();
    open(name);
  });
}
