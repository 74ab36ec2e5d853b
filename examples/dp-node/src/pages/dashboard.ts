// What a customer shares, and the way to end it.

import { findCustomer, logIn, shownNumber, type Customer } from '../bank.js';
import type { Decisions } from '../decision.js';
import type { Dp } from '../dp.js';
import { Refusal, type Answer, type Request, type Route } from '../http.js';
import { csrfField, date, html, loginForm, page, purpose, seeOther } from './html.js';
import { Sessions, type Session } from './sessions.js';

type Visit = { username?: string; notice?: string | undefined };

const PATH = '/dashboard';

export function dashboardRoutes(dp: Dp, decisions: Decisions): Route[] {
  const sessions = new Sessions<Visit>();
  const customerOf = (session?: Session<Visit>) => findCustomer(session?.data.username ?? '');

  function show(request: Request): Answer {
    const session = sessions.find(request);
    const customer = customerOf(session);
    if (session && customer) return dashboard(dp, customer, session);
    const { session: fresh, headers } = sessions.start(PATH, {}, session);
    return page('See what you share', loginForm(`${PATH}/login`, fresh.csrf), 200, headers);
  }

  function login(request: Request): Answer {
    const { session, form } = sessions.posted(request);
    const customer = logIn(form.get('username') ?? '', form.get('password') ?? '');
    if (!customer) return page('See what you share', loginForm(`${PATH}/login`, session.csrf, 'The username or password is incorrect.'));
    return seeOther(PATH, sessions.start(PATH, { username: customer.username }, session).headers);
  }

  async function revoke(request: Request): Promise<Answer> {
    const { session, form } = sessions.posted(request);
    const customer = customerOf(session);
    const id = form.get('consent_id') ?? '';
    const consent = customer && dp.consents.of(customer.username).find((consent) => consent.id === id);
    if (!consent) throw new Refusal(403, 'access_denied', 'This is not a consent that you can withdraw.');
    const withdrawn = await decisions.withdraw(id, 'data_provider_user');
    session.data.notice = withdrawn ? 'Nothing is shared any more.' : 'We could not withdraw the consent. Please try again.';
    return seeOther(PATH);
  }

  function leave(request: Request): Answer {
    sessions.end(sessions.posted(request).session);
    return seeOther(PATH);
  }

  return [
    { method: 'GET', path: /^\/dashboard$/, handle: show },
    { method: 'POST', path: /^\/dashboard\/login$/, handle: login },
    { method: 'POST', path: /^\/dashboard\/revoke$/, handle: revoke },
    { method: 'POST', path: /^\/dashboard\/leave$/, handle: leave },
  ];
}

function dashboard(dp: Dp, customer: Customer, session: Session<Visit>): Answer {
  const { notice } = session.data;
  session.data.notice = undefined;
  const shared = dp.consents.of(customer.username).map((consent, index) => {
    const accounts = customer.accounts.filter(({ id }) => consent.grant?.accounts.includes(id));
    return html`<section data-testid="consent-${String(index + 1)}" data-consent-id="${consent.id}">
<h2>${consent.dcId}</h2>
<dl>
<dt>Purpose</dt><dd>${purpose(consent.purpose)}</dd>
<dt>Accounts</dt><dd><ul>${accounts.map((account) => html`<li>${account.name} ${shownNumber(account)}</li>`)}</ul></dd>
<dt>Until</dt><dd>${date(consent.expiresAt)}</dd>
<dt>Status</dt><dd data-testid="status">${consent.status}</dd>
</dl>
<form method="post" action="${PATH}/revoke">
${csrfField(session.csrf)}
<input type="hidden" name="consent_id" value="${consent.id}">
<button type="submit" class="quiet" data-testid="revoke-${String(index + 1)}">Stop sharing</button>
</form>
</section>`;
  });
  const main = html`<p data-testid="name">${customer.name}</p>
${notice ? html`<p role="status" data-testid="notice">${notice}</p>` : undefined}
${shared.length > 0 ? shared : html`<p>You share nothing.</p>`}
<form method="post" action="${PATH}/leave">
${csrfField(session.csrf)}
<button type="submit" class="quiet" data-testid="leave">Log out</button>
</form>`;
  return page('What you share', main);
}
