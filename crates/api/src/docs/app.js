"use strict";
(() => {
  const words = {
    zh: {
      search: "搜索路径或说明", switch: "English", parameters: "参数", body: "请求", answers: "应答",
      none: "没有匹配的接口", failed: "接口说明读取失败：", required: "必填", or: "或", of: "的列表",
      about: "互联网医院订单接口。所有应答使用同一信封：success 加 data 与 meta，或 error。时间为 UTC 的 RFC 3339，六位小数；金额为最小货币单位的整数，附币种。未知字段会被拒绝，请求体不超过 1 MiB。用 Accept-Language 选择 zh-CN 或 en；X-Request-Id 可由您给出，每个应答都会带回。",
      tags: { "Sign-in": "登录", "Doctors and sessions": "医生与场次", "Orders": "订单", "Consultation": "问诊", "Files": "文件", "Payments": "支付", "Ledger": "账簿", "Reconciliation": "对账", "Operations": "运营", "Health": "健康检查" },
      who: [[/^Anybody\.$/, "无需登录。"], [/^Whoever is signed in\.$/, "登录即可。"], [/^Only: /, "仅限："]],
    },
    en: {
      search: "Search paths and summaries", switch: "中文", parameters: "Parameters", body: "Request", answers: "Answers",
      none: "Nothing matches", failed: "The description could not be read: ", required: "required", or: "or", of: "list of",
      tags: {}, who: [],
    },
  };
  const kept = (() => { try { return localStorage.getItem("docs-language"); } catch { return null; } })();
  let language = kept || (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
  let api = null;
  const at = (id) => document.getElementById(id);
  const make = (tag, text, name) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = String(text).replaceAll("`", "");
    if (name) node.className = name;
    return node;
  };
  const resolve = (schema) => schema && schema.$ref
    ? { name: schema.$ref.split("/").pop(), ...api.components.schemas[schema.$ref.split("/").pop()] }
    : schema || {};
  const choices = (schema) => schema.oneOf || schema.anyOf || schema.allOf;

  function kind(given) {
    const schema = resolve(given);
    const some = choices(schema);
    if (some) return some.map(kind).join(` ${words[language].or} `);
    if (schema.type === "array" || schema.items) {
      return language === "zh" ? kind(schema.items) + words.zh.of : `${words.en.of} ${kind(schema.items)}`;
    }
    const types = [].concat(schema.type || "any").join(` ${words[language].or} `);
    return schema.name || (schema.format ? `${types} (${schema.format})` : types);
  }

  /* Where the fields are: through references, lists and alternatives. */
  function inner(given) {
    const schema = resolve(given);
    if (schema.properties || schema.enum) return schema;
    if (schema.items) return inner(schema.items);
    return (choices(schema) || []).map(inner).find((one) => one) || null;
  }

  function limits(schema) {
    return [["minimum", "≥"], ["maximum", "≤"], ["minLength", "length ≥"], ["maxLength", "length ≤"]]
      .filter(([key]) => schema[key] !== undefined).map(([key, sign]) => `${sign} ${schema[key]}`).join(", ");
  }

  /* Deeper levels are written when they are opened. */
  function fields(given) {
    const schema = inner(given);
    const list = make("ul");
    if (!schema) return list;
    if (schema.enum) { list.append(make("li", schema.enum.join(" · "))); return list; }
    for (const [name, property] of Object.entries(schema.properties)) {
      const item = make("li");
      const head = make("span");
      head.append(make("code", name), make("span", ` ${kind(property)} `, "kind"));
      if ((schema.required || []).includes(name)) head.append(make("span", words[language].required, "must"));
      const known = resolve(property);
      const more = [property.description || known.description, limits(known)].filter(Boolean).join(" ");
      if (more) head.append(make("div", more, "kind"));
      if (inner(property)) {
        const box = make("details");
        const summary = make("summary");
        summary.append(head);
        box.append(summary);
        box.addEventListener("toggle", () => { if (box.open && box.children.length === 1) box.append(fields(property)); });
        item.append(box);
      } else {
        item.append(head);
      }
      list.append(item);
    }
    return list;
  }

  function content(holder) {
    return Object.entries(holder.content || {}).map(([media, one]) => {
      const box = make("div");
      box.append(make("code", media), make("span", one.schema ? ` ${kind(one.schema)}` : "", "kind"));
      if (one.schema) box.append(fields(one.schema));
      return box;
    });
  }

  function inside(operation) {
    const w = words[language];
    const box = make("div");
    let who = operation.description || "";
    for (const [from, to] of w.who) who = who.replace(from, to);
    box.append(make("p", who));
    if ((operation.parameters || []).length) {
      const list = make("ul");
      for (const one of operation.parameters) {
        const item = make("li");
        item.append(make("code", one.name), make("span", ` ${one.in} · ${kind(one.schema)} `, "kind"));
        if (one.required) item.append(make("span", w.required, "must"));
        if (one.description) item.append(make("div", one.description, "kind"));
        list.append(item);
      }
      box.append(make("h3", w.parameters), list);
    }
    if (operation.requestBody) box.append(make("h3", w.body), ...content(operation.requestBody));
    box.append(make("h3", w.answers));
    const list = make("ul");
    for (const [status, answer] of Object.entries(operation.responses)) {
      const item = make("li");
      item.append(make("code", status), make("span", ` ${answer.description}`));
      if (status < "300") item.append(...content(answer));
      list.append(item);
    }
    box.append(list);
    return box;
  }

  const said = (operation) => (language === "zh" && operation["x-summary-zh"]) || operation.summary || "";

  function operation(path, verb, one) {
    const box = make("details", undefined, "operation");
    const summary = make("summary");
    summary.append(make("span", verb, `verb ${verb}`), make("code", path), make("span", said(one)));
    box.append(summary);
    box.id = one.operationId;
    box.dataset.text = `${verb} ${path} ${one.summary} ${one["x-summary-zh"] || ""}`.toLowerCase();
    box.addEventListener("toggle", () => { if (box.open && box.children.length === 1) box.append(inside(one)); });
    return box;
  }

  function draw() {
    const w = words[language];
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    at("search").placeholder = w.search;
    at("search").setAttribute("aria-label", w.search);
    at("language").textContent = w.switch;
    if (!api) return;
    at("version").textContent = api.info.version;
    at("about").textContent = (w.about || api.info.description).replaceAll("`", "");
    at("groups").replaceChildren();
    at("operations").replaceChildren();
    for (const tag of api.tags) {
      const section = make("section");
      const title = make("h2", w.tags[tag.name] || tag.name);
      title.id = tag.name.replace(/ /g, "-");
      section.append(title);
      for (const [path, item] of Object.entries(api.paths)) {
        for (const verb of ["get", "post", "put", "patch", "delete"]) {
          if (item[verb] && item[verb].tags.includes(tag.name)) section.append(operation(path, verb, item[verb]));
        }
      }
      const link = make("a", title.textContent);
      link.href = `#${title.id}`;
      at("groups").append(link);
      at("operations").append(section);
    }
    filter();
    const wanted = location.hash && at(decodeURIComponent(location.hash.slice(1)));
    if (wanted) { if (wanted.tagName === "DETAILS") wanted.open = true; wanted.scrollIntoView(); }
  }

  function filter() {
    const asked = at("search").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const section of document.querySelectorAll("#operations section")) {
      let here = 0;
      for (const box of section.querySelectorAll(".operation")) {
        const fits = asked.every((word) => box.dataset.text.includes(word));
        box.classList.toggle("hidden", !fits);
        here += fits ? 1 : 0;
      }
      section.classList.toggle("hidden", here === 0);
      found += here;
    }
    at("state").textContent = found ? "" : words[language].none;
  }

  at("search").addEventListener("input", filter);
  at("language").addEventListener("click", () => {
    language = language === "zh" ? "en" : "zh";
    try { localStorage.setItem("docs-language", language); } catch { /* a private window keeps nothing */ }
    draw();
  });
  draw();
  fetch("/api/v1/openapi.json")
    .then((answer) => { if (!answer.ok) throw new Error(answer.status); return answer.json(); })
    .then((document) => { api = document; draw(); })
    .catch((error) => { at("state").textContent = words[language].failed + error.message; });
})();
