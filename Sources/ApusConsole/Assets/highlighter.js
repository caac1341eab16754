// A worker that colours code: whatever a file holds, the page goes on, and ends this when it takes too long.

onmessage = ({ data }) => {
    if (!self.hljs) {
        importScripts(data.library);
        hljs.configure({ hideUpgradeWarningAcceptNoSupportOrSecurityUpdates: true });
    }
    postMessage(hljs.highlight(data.language, data.text, true).value);
};
