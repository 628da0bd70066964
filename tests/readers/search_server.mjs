// A search index over HTTP for the example that feeds one: search_server.mjs FOLDER_WITH_NODE_MODULES. MiniSearch
// searches; the requests are those of Elasticsearch that the example makes, and GET /INDEX/_search?q=WORDS. Prints its
// port.
import { createRequire } from 'node:module';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

const MiniSearch = createRequire(process.argv[2] + '/')('minisearch');

const indexes = new Map();
const named = (name) => {
  if (!indexes.has(name)) {
    const fields = ['title', 'body'];
    indexes.set(name, new MiniSearch({ idField: '_id', fields, storeFields: ['_id', ...fields] }));
  }
  return indexes.get(name);
};

function act(lines) {
  for (let i = 0; i < lines.length; ++i) {
    const [[what, { _index, _id }]] = Object.entries(JSON.parse(lines[i]));
    const index = named(_index);
    const before = index.has(_id) ? index.getStoredFields(_id) : undefined;
    if (before) index.discard(_id);
    if (what === 'delete') continue;
    const sent = JSON.parse(lines[++i]);
    index.add(what === 'update' ? { ...before, ...sent.doc, _id } : { ...sent, _id });
  }
}

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  const [, index, verb] = pathname.split('/');
  const body = await text(request);
  if (pathname === '/_bulk') act(body.split('\n').filter(Boolean));
  else if (verb === '_delete_by_query') indexes.delete(index);
  const hits = verb === '_search' ? named(index).search(searchParams.get('q')).map((hit) => hit.id).sort() : [];
  response.end(JSON.stringify({ errors: false, hits }));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
