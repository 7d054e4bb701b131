// What pages do with JavaScript; they work without it.
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  // Datasette 0.65 does not say which language its pages are in.
  document.documentElement.lang ||= document.querySelector("main.tf")?.lang || "en";

  for (const button of all("button[data-copy]")) {
    const source = document.getElementById(button.dataset.copy);
    if (!navigator.clipboard || !source) continue;
    const said = button.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(source.href || source.value);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = said), 2000);
    });
  }

  for (const box of all("input[data-filter]")) {
    const rows = all(box.dataset.filter).map((row) => [row, row.querySelector("th").textContent.toLowerCase()]);
    const status = document.getElementById(box.getAttribute("aria-describedby"));
    const before = status?.textContent;
    box.addEventListener("input", () => {
      const wanted = box.value.trim().toLowerCase();
      let found = 0;
      for (const [row, name] of rows) {
        row.hidden = !name.includes(wanted);
        found += !row.hidden;
      }
      if (status) status.textContent = wanted ? `${found} on this page.${box.form ? " Enter looks through all tags." : ""}` : before;
    });
  }

  for (const input of all("input[data-suggest]")) {
    const list = input.list;
    let last = 0;
    input.addEventListener("input", async () => {
      const turn = ++last;
      const answer = await fetch(`${input.dataset.suggest}?q=${encodeURIComponent(input.value)}`);
      if (!answer.ok || turn !== last) return;
      const { tags } = await answer.json();
      list.replaceChildren(...tags.slice(0, 12).map(({ tag }) => new Option(tag)));
    });
  }

  for (const form of all("form[data-build]")) {
    const output = form.querySelector("output");
    const first = output.textContent;
    let last = 0;
    form.addEventListener("change", async () => {
      const turn = ++last;
      const say = (text) => {
        output.textContent = text;
        output.ariaBusy = "false";
      };
      const chosen = new URLSearchParams(new FormData(form));
      if (!chosen.getAll("t").length) return say(first);
      output.ariaBusy = "true";
      // The address leads to the combination; its JSON Feed knows how many items it has.
      const page = await fetch(`${form.action}?${chosen}`);
      const feed = page.ok && (await fetch(`${page.url}.json?size=1`));
      const count = feed && feed.ok ? (await feed.json())._tagfeeds.count : null;
      if (turn === last) say(count === null ? "These cannot be combined." : `${count} item${count === 1 ? "" : "s"}`);
    });
  }
})();
