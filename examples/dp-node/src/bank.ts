// The bank behind the Data Provider: customers and accounts. In yours, this is the core system.

import { createHash, timingSafeEqual } from 'node:crypto';
import { Refusal } from './http.js';

type Kind = 'savings' | 'current' | 'credit_card' | 'hire_purchase';

export interface Account {
  id: string; // opaque: not the number, nor derived from it
  number: string;
  name: string;
  kind: Kind;
  balance: string; // MYR; of cards and loans, what is owed
  status: 'active' | 'blocked' | 'closed';
}

export interface Customer {
  username: string;
  password: string; // a bank has a log-in of its own, with a second factor and a lock
  subject: string; // `sub`: the same in every consent
  name: string;
  nric: string;
  email: string;
  accounts: Account[];
}

const CUSTOMERS: Customer[] = [
  {
    username: 'paynet',
    password: 'paynet',
    subject: '0c1b3d52-7d3c-4a36-9d0e-3f4f1e0a7c11',
    name: 'Tan Mei Ling',
    nric: '900101-14-5678',
    email: 'meiling@example.com',
    accounts: [
      account('6f1c2b0a-53c4-4a5e-8f5e-0a6f5d3c9b01', '114098765432', 'Everyday Savings', 'savings', '25000.75'),
      account('b1d7a0c3-2f2e-4d0b-9c55-8e7a4f6b2d02', '514012345678', 'Current Account', 'current', '1830.20'),
      account('3a9e5d84-6c17-4b92-a3f0-7d2c1e8b4f03', '5196030012345678', 'Platinum Card', 'credit_card', '742.15'),
      account('e4c8f2b6-1a3d-4e7f-b6d9-5c0a9e7d1b04', '814077700031', 'Perodua Myvi', 'hire_purchase', '41250.00'),
      account('92d6b7e1-8f4c-4c2a-8e1b-6b3f0d5a7c05', '114000000017', 'Old Savings', 'savings', '0.00', 'closed'),
    ],
  },
  {
    username: 'aisyah',
    password: 'aisyah',
    subject: '5e8d7c21-94f6-4b0a-b7c3-1d2e6f9a8b22',
    name: 'Nur Aisyah binti Rahman',
    nric: '880808-10-1234',
    email: 'aisyah@example.com',
    accounts: [
      account('d05f9a3e-7b62-4f18-9a4d-2c8e6b1f0a06', '114055500011', 'Simpanan Aisyah', 'savings', '310.00'),
      account('7c2e4f90-3d5b-4a81-8c6f-9e0b7a2d5c07', '5196030098765432', 'Kad Aisyah', 'credit_card', '1205.40'),
      account('18b3d6c5-0e9f-4d72-b5a1-4f7c3e8d2b08', '114077700051', 'Frozen Savings', 'savings', '90.10', 'blocked'),
    ],
  },
];

function account(id: string, number: string, name: string, kind: Kind, balance: string, status: Account['status'] = 'active'): Account {
  return { id, number, name, kind, balance, status };
}

// ---- customers ----

export const findCustomer = (username: string) => CUSTOMERS.find((customer) => customer.username === username);

/** Takes as long and says as much for a wrong name as for a wrong password. */
export function logIn(username: string, password: string): Customer | undefined {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const customer = findCustomer(username);
  const right = timingSafeEqual(digest(password), digest(customer?.password ?? ''));
  return right && customer ? customer : undefined;
}

/** SHA-256 of the digits, as padded base64. What exactly is hashed, PayNet has not published. */
export const hashedIdNumber = (customer: Customer) =>
  createHash('sha256').update(customer.nric.replace(/\D/g, '')).digest('base64');

/** OpenID Connect claims. */
export function userinfo(customer: Customer) {
  const [familyName = '', ...givenNames] = customer.name.split(' ');
  return {
    sub: customer.subject,
    name: customer.name,
    given_name: givenNames.join(' '),
    family_name: familyName,
    preferred_username: customer.username,
    email: customer.email,
    email_verified: true,
    id_type: 'nric',
    hashed_id_number: hashedIdNumber(customer),
  };
}

// ---- accounts ----

/** Only active accounts can be shared. */
export const eligible = (customer: Customer) => customer.accounts.filter(({ status }) => status === 'active');

/** A card number is shown and sent as first 6, *, last 4. */
export function shownNumber({ kind, number }: Account): string {
  return kind === 'credit_card' ? number.slice(0, 6) + '*'.repeat(number.length - 10) + number.slice(-4) : number;
}

const CORE_DEADLINE = 3_000; // PayNet gives us five seconds

/** Asks the core system for an account, and gives up in time. */
export async function fetchAccount(customer: Customer, id: string): Promise<Account> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => (timer = setTimeout(reject, CORE_DEADLINE)));
  const account = await Promise.race([coreSystem(customer, id), tooLong])
    .catch(() => {
      throw new Refusal(503, 'Consent.TransientAccountAccessFailure', 'the core system does not answer');
    })
    .finally(() => clearTimeout(timer));
  if (account?.status === 'active') return account;
  throw account?.status === 'blocked'
    ? new Refusal(403, 'Consent.AccountTemporarilyBlocked', 'the account is blocked')
    : new Refusal(403, 'Consent.PermanentAccountAccessFailure', 'the account is closed');
}

/** Stands for another system, which may be down. */
export const core = { up: true };

function coreSystem(customer: Customer, id: string): Promise<Account | undefined> {
  if (!core.up) return new Promise(() => {}); // silence
  return Promise.resolve(customer.accounts.find((account) => account.id === id));
}

export function setAccountStatus(id: string, status: Account['status']): void {
  const account = CUSTOMERS.flatMap(({ accounts }) => accounts).find((account) => account.id === id);
  if (!account) throw new Error('no such account');
  account.status = status;
}

const money = (amount: string) => ({ amount, currency: 'MYR' });
const isDebt = ({ kind }: Account) => kind === 'credit_card' || kind === 'hire_purchase';
const CARD_LIMIT = 12_000;

/** The account of B2. */
export function details(customer: Customer, account: Account) {
  const type = { savings: 'deposit', current: 'deposit', credit_card: 'credit', hire_purchase: 'loan' }[account.kind];
  return {
    institution_name: 'Example Bank Berhad',
    account_id: account.id,
    account_number: shownNumber(account),
    account_name: account.name,
    account_holder_name: customer.name,
    category: 'retail',
    type,
    subtype: account.kind,
    ...(type === 'credit' ? { limit: money(CARD_LIMIT.toFixed(2)) } : {}),
    ...(type === 'loan'
      ? { loan_details: { loan_amount: money('58000.00'), origination_date: '2024-03-15', maturity_date: '2033-03-15' } }
      : {}),
  };
}

/** The balance of B3: the current one leaves out what is pending; what is owed is a debit. */
export function balance(account: Account) {
  const credit_debit_indicator = isDebt(account) ? 'debit' : 'credit';
  const left = account.kind === 'credit_card' ? (CARD_LIMIT - Number(account.balance)).toFixed(2) : account.balance;
  return {
    account_id: account.id,
    credit_lines_included: false,
    current_balance: { amount: money(account.balance), credit_debit_indicator },
    ...(account.kind === 'hire_purchase' ? {} : { available_balance: { amount: money(left), credit_debit_indicator: 'credit' } }),
  };
}
