// What every Node.js program of the suite shares; see bench.h.
'use strict';
const fs = require('fs');

const now = { wall: 0, cpu: 0, bytes: 0, line: '' };

const cpu = () => {
    const usage = process.cpuUsage();
    return (usage.user + usage.system) * 1e-6;
};
const residentBytes = () => Number(fs.readFileSync('/proc/self/statm', 'utf8').split(' ')[1]) * 4096;
const wall = () => Number(process.hrtime.bigint()) * 1e-9;

/** The measured part begins here, not where the form does. */
function startClock() {
    Object.assign(now, { wall: wall(), cpu: cpu(), bytes: residentBytes(), line: '' });
}

/** It ends here, not where the form does. */
function stopClock() {
    const took = (wall() - now.wall).toFixed(9);
    const used = (cpu() - now.cpu).toFixed(9);
    now.line = `wall=${took} cpu=${used} bytes=${residentBytes() - now.bytes}`;
}

/** Prints the figures and ends the program, whatever is still under way. */
function finish(operations, check) {
    if (!now.line) stopClock();
    fs.writeSync(1, `operations=${operations} ${now.line} check=${check}\n`);
    process.exit(0);
}

/** A form does n operations and returns a number that shows that it did them, or a promise of it. */
async function main(forms) {
    const [name, count] = process.argv.slice(2);
    if (process.argv.length !== 4 || !forms[name]) {
        console.error(`usage: PROGRAM FORM N\n  ${Object.keys(forms).join('\n  ')}`);
        process.exit(2);
    }
    startClock();
    finish(Number(count), await forms[name](Number(count)));
}

/** The same numbers in every language: xorshift32. */
class Random {
    #state = 12345;
    below(end) {
        this.#state ^= this.#state << 13;
        this.#state ^= this.#state >>> 17;
        this.#state ^= this.#state << 5;
        return (this.#state >>> 0) % end;
    }
}

module.exports = { main, startClock, stopClock, finish, Random };
