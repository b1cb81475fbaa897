// Bad weather, told calmly: no connection, or no seat for a session that came back. Nothing is lost by it.

import { element, onClick, text } from "./dom.js";

export function watchWeather(session) {
  session.current.subscribe(show);
  // Whatever comes of it is told as a state.
  onClick(element("retry"), () => session.extend().catch(() => {}));
}

function show(state) {
  const sentence = words(state);
  element("weather").hidden = !sentence;
  if (sentence) text("weather-sentence", sentence);
}

function words({ status, session, problem }) {
  if (status === "offline") {
    return session
      ? "No connection to the server. You are still logged in, and what you typed stays. This page goes on by itself."
      : "No connection to the server. This page goes on by itself when it is back.";
  }
  if (status === "limit-reached" && session) {
    return `${problem.message} Your session is kept, and goes on here as soon as there is room.`;
  }
  return "";
}
