import { moment, number } from "./format.js";

const NS = "http://www.w3.org/2000/svg";
const LEFT = 74, RIGHT = 10, TOP = 10, BOTTOM = 24;

function shape(name, attributes, text) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  return element;
}

/** The equity curve with its highest and lowest value and the capital it began with. */
export function draw(svg, points, capital) {
  const { clientWidth: width, clientHeight: height } = svg;
  if (!width || !height) return;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  if (points.length < 2) {
    const note = shape("text", { x: width / 2, y: height / 2, class: "note", "text-anchor": "middle" }, "No curve yet");
    svg.replaceChildren(note);
    return;
  }
  const values = points.map(([, equity]) => Number(equity));
  let low = Math.min(...values, capital), high = Math.max(...values, capital);
  if (low === high) [low, high] = [low * 0.999, high * 1.001];
  const room = high - low;
  const x = (index) => LEFT + (index / (points.length - 1)) * (width - LEFT - RIGHT);
  const y = (value) => TOP + ((high - value) / room) * (height - TOP - BOTTOM);
  const line = values.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  const area = `${LEFT},${y(capital)} ${line} ${x(points.length - 1)},${y(capital)}`;
  const base = { x1: LEFT, x2: width - RIGHT, y1: y(capital), y2: y(capital), class: "base" };
  const label = (value, at) => shape("text", { x: LEFT - 8, y: at + 4, "text-anchor": "end" }, number(value));
  const free = Math.abs(y(capital) - y(high)) > 16 && Math.abs(y(capital) - y(low)) > 16;
  svg.replaceChildren(
    shape("polygon", { points: area, class: "area" }),
    shape("line", base),
    shape("polyline", { points: line, class: "curve" }),
    shape("circle", { cx: x(points.length - 1), cy: y(values.at(-1)), r: 4, class: "end" }),
    label(high, y(high)), label(low, y(low)), ...(free ? [label(capital, y(capital))] : []),
    shape("text", { x: LEFT, y: height - 4 }, moment(points[0][0])),
    shape("text", { x: width - RIGHT, y: height - 4, "text-anchor": "end" }, `${moment(points.at(-1)[0])} UTC`),
  );
}
