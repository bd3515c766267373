// An async function starts at once; a promise is all the task there is.
'use strict';
const bench = require('../../support/bench.js');

const batch = 1000;

async function child(value) {
    return value + 1;
}

async function gather(n) {
    let sum = 0;
    for (let done = 0; done < n; done += batch) {
        const children = [];
        for (let i = 0; i < batch; ++i) children.push(child(i));
        for (const value of await Promise.all(children)) sum += value;
    }
    return sum;
}

bench.main({ gather });
