// A room's client as a page has it (docs/api/room.md, docs/api/files.md), without anything to see.
window.client = {
  lines: [],
  errors: [],
  incoming: null,

  // Enters the room; resolves with the welcome.
  enter({ token, order }) {
    Object.assign(this, { token, order });
    const address = `${location.origin.replace("http", "ws")}/api/v1/orders/${order}/room`;
    this.socket = new WebSocket(address);
    this.socket.onopen = () => this.send({ type: "hello", token });
    return new Promise((resolve, reject) => {
      this.socket.onclose = event => reject(new Error(`closed with ${event.code}`));
      this.socket.onmessage = event => {
        const frame = JSON.parse(event.data);
        if (frame.type === "welcome") {
          this.iceServers = frame.iceServers;
          resolve(frame);
        } else if (frame.type === "message") {
          this.lines.push(frame);
        } else if (frame.type === "signal") {
          this.signalled(frame).catch(error => this.errors.push(`${error}`));
        } else if (frame.type === "error") {
          this.errors.push(JSON.stringify(frame));
        }
      };
    });
  },

  send(frame) {
    this.socket.send(JSON.stringify(frame));
  },

  signal(kind, data) {
    this.send({ type: "signal", kind, data });
  },

  // One side of a call, with camera and microphone. `policy` is WebRTC's iceTransportPolicy.
  async prepare(policy) {
    this.peer = new RTCPeerConnection({ iceServers: this.iceServers, iceTransportPolicy: policy || "all" });
    this.waiting = [];
    this.peer.onicecandidate = event => {
      if (event.candidate) this.signal("candidate", event.candidate.toJSON());
    };
    this.peer.ontrack = event => {
      this.video = this.video || document.body.appendChild(document.createElement("video"));
      this.video.muted = true;
      this.video.srcObject = event.streams[0];
      this.video.play();
    };
    this.connected = new Promise(resolve => {
      this.peer.onconnectionstatechange = () => {
        if (this.peer.connectionState === "connected") {
          this.signal("connected", {});
          resolve(true);
        }
      };
    });
    const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    for (const track of media.getTracks()) this.peer.addTrack(track, media);
  },

  async call(policy) {
    await this.prepare(policy);
    await this.peer.setLocalDescription();
    this.signal("offer", this.peer.localDescription.toJSON());
  },

  async signalled({ kind, data }) {
    if (kind === "offer") {
      await this.prepare(this.policy);
      await this.peer.setRemoteDescription(data);
      await this.peer.setLocalDescription();
      this.signal("answer", this.peer.localDescription.toJSON());
    } else if (kind === "answer") {
      await this.peer.setRemoteDescription(data);
    } else if (kind === "candidate") {
      this.waiting.push(data);
    } else if (kind === "hangup") {
      this.end();
    }
    // Candidates may come before what they belong to.
    while (this.peer && this.peer.remoteDescription && this.waiting.length > 0) {
      await this.peer.addIceCandidate(this.waiting.shift());
    }
  },

  // Whether the call is connected within so many milliseconds.
  async connects(within) {
    const late = new Promise(resolve => setTimeout(resolve, within, false));
    while (!this.peer) await this.moment(50);
    return Promise.race([this.connected, late]);
  },

  // What has arrived from the other side.
  async received() {
    const found = { video: 0, audio: 0, width: this.video ? this.video.videoWidth : 0 };
    for (const report of (await this.peer.getStats()).values()) {
      if (report.type !== "inbound-rtp") continue;
      if (report.kind === "video") found.video = report.framesDecoded || 0;
      if (report.kind === "audio") found.audio = report.packetsReceived || 0;
    }
    return found;
  },

  hangUp() {
    this.signal("hangup", {});
    this.end();
  },

  end() {
    if (this.peer) this.peer.close();
    this.peer = null;
  },

  moment(milliseconds) {
    return new Promise(resolve => setTimeout(resolve, milliseconds));
  },

  async api(method, path, body) {
    const headers = { authorization: `Bearer ${this.token}`, "content-type": "application/json" };
    const answer = await fetch(`/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
    const parsed = await answer.json();
    if (!answer.ok) throw new Error(`${answer.status} ${JSON.stringify(parsed.error)}`);
    return parsed.data;
  },

  // Announces, sends, confirms and shows a file; resolves with its id.
  async share(kind, name, blob) {
    const bytes = await blob.arrayBuffer();
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const sha256 = [...hash].map(byte => byte.toString(16).padStart(2, "0")).join("");
    const about = { orderId: this.order, purpose: "room", name, type: blob.type, size: blob.size };
    const place = await this.api("POST", "/files/upload-url", about);
    const sent = await fetch(place.url, { method: place.method, headers: place.headers, body: blob });
    if (!sent.ok) throw new Error(`${sent.status} ${await sent.text()}`);
    const fileId = place.fileId;
    await this.api("POST", "/files/confirm-upload", { fileId, size: blob.size, sha256 });
    this.send({ type: "message", id: crypto.randomUUID(), kind, fileId });
    return fileId;
  },

  async sharePicture() {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: 320, height: 200 });
    const pen = canvas.getContext("2d");
    pen.fillStyle = "crimson";
    pen.fillRect(40, 40, 120, 90);
    const blob = await new Promise(resolve => canvas.toBlob(resolve, "image/jpeg"));
    return this.share("picture", "皮疹.jpg", blob);
  },

  async shareVoice(milliseconds) {
    const sound = await navigator.mediaDevices.getUserMedia({ audio: true });
    const recorder = new MediaRecorder(sound, { mimeType: "audio/webm;codecs=opus" });
    const parts = [];
    recorder.ondataavailable = event => parts.push(event.data);
    const stopped = new Promise(resolve => { recorder.onstop = resolve; });
    recorder.start();
    await this.moment(milliseconds);
    recorder.stop();
    await stopped;
    return this.share("voice", "咳嗽.webm", new Blob(parts, { type: recorder.mimeType }));
  },

  shareDocument() {
    const text = "%PDF-1.7\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n";
    return this.share("file", "化验单.pdf", new Blob([text], { type: "application/pdf" }));
  },

  // The line that shows a file, as soon as it is heard.
  async lineOf(fileId) {
    for (let tries = 0; tries < 200; tries += 1) {
      const line = this.lines.find(one => one.fileId === fileId);
      if (line) return line;
      await this.moment(50);
    }
    throw new Error(`nothing was heard of ${fileId}: ${this.errors}`);
  },

  // Opens a file as a reader does: a picture is drawn, a clip is played, a document is fetched.
  async open(fileId) {
    const file = await this.api("GET", `/files/${fileId}`);
    if (file.kind === "document") {
      const answer = await fetch(file.url);
      return { file, text: await answer.text() };
    }
    const shown = document.createElement(file.kind === "picture" ? "img" : "audio");
    const done = new Promise((resolve, reject) => {
      shown.onload = shown.oncanplaythrough = resolve;
      shown.onerror = () => reject(new Error(`${file.kind} can't be shown`));
    });
    shown.src = file.url;
    await done;
    return { file, width: shown.naturalWidth, height: shown.naturalHeight };
  },
};
