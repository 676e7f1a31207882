const SILENCE_MS = 10_000;
const PAUSES_MS = [500, 1000, 2000, 4000];

export async function post(path, fields) {
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(fields),
    });
    return { ok: answer.ok, status: answer.status, body: await answer.json().catch(() => ({})) };
  } catch {
    return { ok: false, status: 0, body: {} };
  }
}

export async function events(query) {
  const answer = await fetch(`/api/events?${new URLSearchParams(query)}`);
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error);
  return body;
}

/** Hears the desk without end: `told` gets each message, `changed` the connection's state. */
export function listen(told, changed) {
  let lost = 0;

  function open() {
    changed(lost ? "reconnecting" : "connecting");
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/api/live`);
    let watch = setTimeout(() => socket.close(), SILENCE_MS);
    socket.onmessage = ({ data }) => {
      clearTimeout(watch);
      watch = setTimeout(end, SILENCE_MS);
      lost = 0;
      told(JSON.parse(data));
      changed("live");
    };
    socket.onclose = end;

    function end() {
      clearTimeout(watch);
      socket.onclose = socket.onmessage = null;
      socket.close();
      changed("reconnecting");
      if (lost === 2) reloadWhenLoggedOut();
      setTimeout(open, PAUSES_MS[Math.min(lost++, PAUSES_MS.length - 1)]);
    }
  }

  open();
}

async function reloadWhenLoggedOut() {
  const answer = await fetch("/api/status").catch(() => null);
  if (answer?.status === 401) location.reload();
}
