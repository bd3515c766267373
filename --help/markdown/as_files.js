// Browsers give no Worker to a page that was opened as a file. The search's one runs in a hidden frame there.
if (location.protocol === "file:") {
    window.Worker = class extends EventTarget {
        constructor(url) {
            super();
            const frame = document.createElement("iframe");
            frame.hidden = true;
            document.body.appendChild(frame);
            this.inside = frame.contentWindow;
            this.waiting = [];
            this.inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", {data}));
            const script = frame.contentDocument.createElement("script");
            script.src = url;
            script.onload = () => {
                const waiting = this.waiting;
                this.waiting = null;
                waiting.forEach((data) => this.postMessage(data));
            };
            frame.contentDocument.body.appendChild(script);
        }
        postMessage(data) {
            if (this.waiting) this.waiting.push(data);
            else this.inside.dispatchEvent(new this.inside.MessageEvent("message", {data}));
        }
        terminate() {}
    };
}
