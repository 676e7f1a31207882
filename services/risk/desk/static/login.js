import { post } from "./api.js";

const problem = document.getElementById("problem");

document.getElementById("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  problem.textContent = "";
  const answer = await post("/api/login", { token: document.getElementById("token").value });
  if (answer.ok) location.replace("/");
  else problem.textContent = answer.body.error ?? "The desk can't be reached.";
});
