const amounts = new Map();

/** A number with thousands separated and a fixed count of decimals. Only for show: nothing is computed from it. */
export function number(text, decimals = 2) {
  if (!amounts.has(decimals)) {
    const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
    amounts.set(decimals, new Intl.NumberFormat("en-GB", digits));
  }
  return amounts.get(decimals).format(Number(text)).replace("-", "−");
}

export function quantity(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

export function price(text) {
  const size = Math.abs(Number(text));
  return number(text, size >= 100 ? 2 : size >= 1 ? 4 : 6);
}

/** Gains and losses by sign and shape as well as by colour. */
export function signed(text, decimals = 2) {
  const value = Number(text);
  const mark = value > 0 ? "▲ +" : value < 0 ? "▼ " : "";
  return mark + number(text, decimals);
}

export function tone(text) {
  return Number(text) > 0 ? "gain" : Number(text) < 0 ? "loss" : "even";
}

export function percent(share, decimals = 2) {
  return `${number(Number(share) * 100, decimals)} %`;
}

/** A length of time in its two largest units, the second only where there is some of it. */
export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [minutes, hours, days] = [Math.floor(whole / 60), Math.floor(whole / 3600), Math.floor(whole / 86400)];
  if (!minutes) return `${whole} s`;
  if (!hours) return parts([minutes, "min"], [whole % 60, "s"]);
  return days < 2 ? parts([hours, "h"], [minutes % 60, "min"]) : parts([days, "d"], [hours % 24, "h"]);
}

const parts = (...units) => units.filter(([count]) => count).map(([count, unit]) => `${count} ${unit}`).join(" ");

export const words = (name) => name.replaceAll("_", " ");
export const clock = (iso) => (iso ? iso.slice(11, 19) : "–");
export const moment = (iso) => (iso ? `${iso.slice(0, 10)} ${iso.slice(11, 16)}` : "–");
