// Prints an Arrow IPC stream as apache-arrow reads it: a line of formats, then a line for each row.
//   node read_ipc.mjs FOLDER_OF_NODE_MODULES < stream
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const { tableFromIPC, Type } = createRequire(`${process.argv[2]}/package.json`)('apache-arrow');

function decimal(words, scale) {
  let number = 0n;
  for (let i = 3; i >= 0; --i) number = (number << 32n) | BigInt(words[i] >>> 0);
  number = BigInt.asIntN(128, number);
  const digits = (number < 0n ? -number : number).toString().padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  return (number < 0n ? '-' : '') + whole + (scale > 0 ? `.${digits.slice(digits.length - scale)}` : '');
}

function uuid(bytes) {
  return Buffer.from(bytes).toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function interval(words) {
  const nanoseconds = (BigInt(words[3]) << 32n) | BigInt(words[2] >>> 0);
  return `${words[0]} ${words[1]} ${BigInt.asIntN(64, nanoseconds)}`;
}

// The value that the vector gives, without the loss of digits that its JavaScript form brings for some.
function text(vector, i) {
  const { type } = vector;
  const value = vector.get(i);
  if (value === null || value === undefined) return 'NULL';
  switch (type.typeId) {
    case Type.Bool: return value ? 't' : 'f';
    case Type.Binary: return Buffer.from(value).toString('latin1');
    case Type.Decimal: return decimal(value, type.scale);
    case Type.Date: return String(Math.round(Number(value) / 86400000));
    case Type.Timestamp: return String(vector.data[0].values[vector.data[0].offset + i]);
    case Type.FixedSizeBinary: return uuid(value);
    case Type.Interval: return interval(value);
    case Type.List: {
      const parts = [];
      for (let k = 0; k < value.length; ++k) parts.push(text(value, k));
      return `{${parts.join(',')}}`;
    }
    case Type.Struct: return `(${type.children.map((_, k) => text(vector.getChildAt(k), i)).join(',')})`;
    default: return String(value);
  }
}

const table = tableFromIPC(readFileSync(0));
console.log(table.schema.fields.map((field) => `${field.name}: ${field.type}`).join('; '));
for (const batch of table.batches)
  for (let i = 0; i < batch.numRows; ++i)
    console.log(`(${table.schema.fields.map((_, k) => text(batch.getChildAt(k), i)).join(',')})`);
