// Twelve months of transactions, made up in the same way each time, by pages.

import { createHash } from 'node:crypto';
import type { Account } from './bank.js';
import { invalidRequest, single } from './http.js';

const DAY = 24 * 3600_000;
const HISTORY = 365; // days
const KINDS = [
  ['Groceries', '99 Speedmart', '5411', 'instore_payment', 'duitnow_qr'],
  ['Lunch', 'Restoran Pelita', '5812', 'instore_payment', 'duitnow_qr'],
  ['Electricity', 'Tenaga Nasional', '4900', 'bill_payment', 'jompay'],
  ['Online shopping', 'Shopee', '5311', 'online_payment', 'fpx'],
  ['Internet', 'Unifi', '4814', 'recurring_payment', 'direct_debit'],
] as const;

type Transaction = ReturnType<typeof transaction>;

/** Days are Malaysia's. */
const dayOf = (time: number) => new Date(time + 8 * 3600_000).toISOString().slice(0, 10);

function transaction(account: Account, day: string, index: number, random: Buffer) {
  const [description, merchant_name, mcc, transfer_method, transfer_submethod] = KINDS[random[0]! % KINDS.length]!;
  const two = (value: number) => String(value).padStart(2, '0');
  const id = createHash('sha256').update(`${account.id} ${day} ${index} id`).digest('hex');
  return {
    account_id: account.id,
    transaction_id: `${id.slice(0, 8)}-${id.slice(8, 12)}-4${id.slice(13, 16)}-8${id.slice(17, 20)}-${id.slice(20, 32)}`,
    transaction_date: `${day}T${two(8 + (random[1]! % 14))}:${two(random[2]! % 60)}:00+08:00`,
    credit_debit_indicator: 'debit',
    amount: { amount: ((random.readUInt16BE(3) % 30_000) / 100 + 1).toFixed(2), currency: 'MYR' },
    transfer_method,
    transfer_submethod,
    description,
    merchant_name,
    mcc,
    is_settled: true,
  };
}

/** None, one or two on each day, the newest first. What a day brought stays the same on the next. */
function history(account: Account, from: string, to: string): Transaction[] {
  const found: Transaction[] = [];
  for (let day = to; day >= from; day = dayOf(Date.parse(`${day}T00:00:00+08:00`) - DAY)) {
    const random = createHash('sha256').update(`${account.id} ${day}`).digest();
    const today = Array.from({ length: random[10]! % 3 }, (_, index) => transaction(account, day, index, random.subarray(index * 5)));
    const key = (t: Transaction) => t.transaction_date + t.transaction_id;
    found.push(...today.sort((a, b) => (key(a) < key(b) ? 1 : -1)));
  }
  return found;
}

interface Page {
  pageSize: number;
  firstRecord: number;
  asOf: string; // the last day, so that pages fit together over midnight
  from?: string | undefined;
  to?: string | undefined;
}

/** The first page has page_size, from_date and to_date in its query; the next ones have next_page_params. */
export function transactions(account: Account, query: URLSearchParams) {
  const cursor = single(query, 'next_page_params');
  const page: Page = cursor
    ? readCursor(cursor)
    : {
        pageSize: Number(single(query, 'page_size') ?? 50),
        firstRecord: 0,
        asOf: dayOf(Date.now() - DAY), // yesterday: its transactions are all settled
        from: single(query, 'from_date'),
        to: single(query, 'to_date'),
      };
  check(page);
  const oldest = dayOf(Date.parse(page.asOf) - HISTORY * DAY);
  const from = page.from && page.from > oldest ? page.from : oldest;
  const to = page.to && page.to < page.asOf ? page.to : page.asOf;
  const all = history(account, from, to);
  const end = page.firstRecord + page.pageSize;
  const next = Buffer.from(JSON.stringify({ ...page, firstRecord: end })).toString('base64url');
  return { data: all.slice(page.firstRecord, end), meta: end < all.length ? { next_page_params: next } : {} };
}

function readCursor(cursor: string): Page {
  try {
    const page: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (typeof page === 'object' && page !== null) return page as Page;
  } catch {
    // below
  }
  throw invalidRequest('next_page_params is not from a page before');
}

/** A cursor is as little to be trusted as a query. */
function check({ pageSize, firstRecord, asOf, from, to }: Page): void {
  const isDay = (day: unknown) =>
    typeof day === 'string' && /^\d{4}-\d\d-\d\d$/.test(day) && !Number.isNaN(Date.parse(day)) && new Date(day).toISOString().startsWith(day);
  if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > 500) throw invalidRequest('page_size is a whole number from 1 to 500');
  if (!Number.isInteger(firstRecord) || firstRecord < 0 || !isDay(asOf)) throw invalidRequest('next_page_params is not from a page before');
  if (Math.abs(Date.parse(asOf) - Date.now()) > 2 * DAY) throw invalidRequest('next_page_params is too old');
  if (from !== undefined && !isDay(from)) throw invalidRequest('from_date is a date such as 2026-01-31');
  if (to !== undefined && !isDay(to)) throw invalidRequest('to_date is a date such as 2026-01-31');
  if (from && to && from > to) throw invalidRequest('from_date is after to_date');
}
