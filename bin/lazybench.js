#!/usr/bin/env node
// Written so that any Node understands it: an old one gets a sentence here instead of a syntax error further on.
var parts = process.versions.node.split('.');
if (Number(parts[0]) < 22 || (Number(parts[0]) === 22 && Number(parts[1]) < 19)) {
  process.stderr.write('error: lazybench needs Node.js 22.19 or newer; this is ' + process.version + '.\n');
  process.exitCode = 5;
} else {
  import('../dist/cli.js').catch(function (error) {
    if (error && error.code === 'ERR_MODULE_NOT_FOUND' && String(error.message).indexOf('dist') !== -1) {
      process.stderr.write('error: lazybench is not built; in a checkout, `npm run build` does it.\n');
      process.exitCode = 5;
    } else {
      process.stderr.write('internal error: ' + (error && error.stack ? error.stack : error) + '\n');
      process.exitCode = 1;
    }
  });
}
