// HTML: a template that escapes, and the frame around every page.

import type { Answer } from '../http.js';

export class Html {
  constructor(readonly text: string) {}
}

type Part = string | Html | Html[] | undefined;

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escape = (text: string) => text.replace(/[&<>"']/g, (char) => ESCAPES[char] ?? '');

/** Whatever is put into the template is text, unless it is Html. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  const written = parts.map((part) => {
    if (part instanceof Html) return part.text;
    if (Array.isArray(part)) return part.map(({ text }) => text).join('\n');
    return escape(part ?? '');
  });
  return new Html(strings.map((text, index) => text + (written[index] ?? '')).join(''));
}

const STYLE = `body { margin: 0; background: #f4f6f8; color: #1b2a3a; font: 1rem/1.5 system-ui, sans-serif }
header { padding: 1rem 1.5rem; background: #14532d; color: #fff }
main { max-width: 34rem; margin: 2rem auto; padding: 1.5rem; background: #fff; border-radius: .5rem }
label { display: block; margin: .5rem 0 } fieldset { border: 0; padding: 0 } dt { font-weight: 600 } dd { margin: 0 0 .75rem }
input:not([type=checkbox]) { display: block; width: 100%; padding: .5rem; font: inherit; box-sizing: border-box }
button, .button { display: inline-block; margin: .5rem .5rem 0 0; padding: .5rem 1rem; border: 1px solid #14532d; border-radius: .25rem;
  background: #14532d; color: #fff; font: inherit; text-decoration: none; cursor: pointer }
.quiet { background: #fff; color: #14532d } .error { color: #b00020 } .code { color: #5b6b7b; font-size: .85em }`;

/** No script, no frame, no cache, no other origin. */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

export const stylesheet = (): Answer => ({ status: 200, headers: { ...HEADERS, 'content-type': 'text/css; charset=utf-8' }, body: STYLE });

export function page(title: string, main: Html, status = 200, headers: Record<string, string> = {}): Answer {
  const { text } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Example Bank</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header>Example Bank</header>
<main>
<h1>${title}</h1>
${main}
</main>
</body>
</html>`;
  return { status, headers: { ...HEADERS, ...headers, 'content-type': 'text/html; charset=utf-8' }, body: text };
}

/** After a form: the browser fetches the next page with GET, never 307. */
export const seeOther = (location: string, headers: Record<string, string> = {}): Answer => ({
  status: 303,
  headers: { ...HEADERS, ...headers, location },
});

export function trouble(status: number, title: string, message: string, headers: Record<string, string> = {}): Answer {
  return page(title, html`<p role="alert" data-testid="trouble">${message}</p>`, status, headers);
}

// ---- pieces ----

export const csrfField = (token: string) => html`<input type="hidden" name="csrf" value="${token}">`;

export function loginForm(action: string, csrf: string, error?: string): Html {
  return html`${error ? html`<p class="error" role="alert" data-testid="error">${error}</p>` : undefined}
<form method="post" action="${action}" data-testid="login">
${csrfField(csrf)}
<label>Username <input name="username" type="text" autocomplete="username" required data-testid="username"></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required data-testid="password"></label>
<button type="submit" data-testid="submit">Log in</button>
</form>`;
}

const PURPOSES: Record<string, string> = { pfm: 'Personal finance management', credit_underwriting: 'Assessment of a credit application' };
const PERMISSIONS: Record<string, string> = {
  read_accounts: 'Your account details',
  read_balances: 'Your account balances',
  read_transactions: 'Your transactions of the last 12 months',
};

export const purpose = (code: string) => html`${PURPOSES[code]} <span class="code">${code}</span>`;
export const permission = (code: string) => html`<li>${PERMISSIONS[code]} <span class="code">${code}</span></li>`;

/** 21 May 2027, in Malaysia. */
export const date = (time: number) =>
  new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'Asia/Kuala_Lumpur' }).format(time);
