// The settings of each client as data: id, name, group, and steps made from what this sandbox says of itself.
// A service that does not run leaves its step out.

const where = (one) => `${one.host.includes(":") ? `[${one.host}]` : one.host}:${one.port}`;
const pac = ({ found, at }) => found.proxy_pac ?? (at.http ? `http://${where(at.http)}/proxy.pac` : "");

const PLAIN = "Newer browsers turn http:// into https:// by themselves. The switches in the line keep plain HTTP plain, so that the first lesson can be seen.";

function mail({ at, person }, name) {
  const incoming = at.imaps ?? at.imap, outgoing = at.submissions ?? at.submission;
  return [
    `Make a new account in ${name}, by hand ("manual set-up", "other account").`,
    incoming && { say: "Incoming mail:", settings: [["Protocol", "IMAP"], ["Server", incoming.host], ["Port", incoming.port], ["Security", incoming.tls === "implicit" ? "SSL/TLS" : "STARTTLS"],
      ["Authentication", "normal password"], ["User name", person.login]] },
    outgoing && { say: "Outgoing mail:", settings: [["Server", outgoing.host], ["Port", outgoing.port], ["Security", outgoing.tls === "implicit" ? "SSL/TLS" : "STARTTLS"], ["Authentication", "normal password"],
      ["User name", person.login]] },
    at.pop3s && { say: "With POP3 instead of IMAP:", settings: [["Server", at.pop3s.host], ["Port", at.pop3s.port], ["Security", "SSL/TLS"]] },
    `The address is ${person.address || "that of the person"}; the password stands under Services.`,
    "Give the program the certificate authority first, or accept its warning and say why that is a bad habit.",
  ];
}

export const CLIENTS = [
  { id: "chromium", name: "Chromium, Chrome, Edge", group: "Browsers", steps: (about) => [
    { say: "Start one with a profile of its own, which asks this sandbox for everything:",
      command: `chromium --proxy-pac-url=${pac(about)} --disable-features=HttpsUpgrades,HttpsFirstBalancedMode,HttpsFirstBalancedModeAutoEnable --user-data-dir="$(mktemp -d)" http://www.example.com/` },
    PLAIN, { say: "For https:// without a warning, give the profile the certificate authority:", command: "sandbox ca --for chromium" },
    "With a proxy configuration a browser never asks DNS itself: the proxy knows the names." ] },
  { id: "firefox", name: "Firefox", group: "Browsers", steps: (about) => [
    { say: "In a profile of its own (about:profiles), set under Settings, Network Settings:", settings: [["Automatic proxy configuration URL", pac(about)]] },
    { say: "In about:config, so that plain HTTP stays plain:", settings: [["dom.security.https_first", "false"]] },
    "For https://, import the authority under Settings, Certificates, Authorities, and trust it for websites.",
    "With a proxy configuration a browser never asks DNS itself: the proxy knows the names." ] },
  { id: "safari", name: "Safari (macOS)", group: "Browsers", steps: (about) => [
    { say: "System Settings, Network, your connection, Details, Proxies, Automatic proxy configuration:", settings: [["URL", pac(about)]] },
    "Take it out again afterwards: it is for the whole Mac.", "For https://, open the DER file in Keychain Access and trust it for SSL." ] },
  { id: "thunderbird", name: "Thunderbird", group: "Mail programs", steps: (about) => mail(about, "Thunderbird") },
  { id: "outlook", name: "Outlook", group: "Mail programs", steps: (about) => mail(about, "Outlook") },
  { id: "apple-mail", name: "Apple Mail", group: "Mail programs", steps: (about) => mail(about, "Mail") },
  { id: "mutt", name: "mutt", group: "Mail programs", steps: ({ at, person }) => [
    at.imaps && { say: "Read:", command: `mutt -f imaps://${person.login}@${where(at.imaps)}/INBOX` },
    at.submissions && { say: "Write, with this in its configuration:", command: `set smtp_url=smtps://${person.login}@${where(at.submissions)}` } ] },
  { id: "curl", name: "curl", group: "Command line", steps: ({ at, person }) => [
    at.http && { say: "A page, by this sandbox’s proxy, so that every name is found:", command: `curl -x http://${where(at.http)} http://www.example.com/` },
    at.https && { say: "Encrypted, with the right authority:", command: `curl --cacert "$(sandbox ca --path)" --connect-to ::${where(at.https)} https://www.example.com/` },
    at.imap && { say: "A mailbox:", command: `curl -u ${person.login}:PASSWORD imap://${where(at.imap)}/INBOX` },
    at.ftp && { say: "A file:", command: `curl -u ${person.login}:PASSWORD ftp://${where(at.ftp)}/` } ] },
  { id: "wget", name: "wget", group: "Command line", steps: ({ at }) => [
    at.http && { say: "By this sandbox’s proxy:", command: `http_proxy=http://${where(at.http)} wget -O - http://www.example.com/` } ] },
  { id: "dig", name: "dig, nslookup", group: "Command line", steps: ({ at }) => [
    at.dns && { say: "Ask this name server:", command: `dig @${at.dns.host} -p ${at.dns.port} www.example.com` },
    at.dns && { say: "The same with nslookup:", command: `nslookup -port=${at.dns.port} www.example.com ${at.dns.host}` },
    at["domain-s"] && { say: "Encrypted (DNS over TLS):", command: `kdig +tls @${at["domain-s"].host} -p ${at["domain-s"].port} www.example.com` } ] },
  { id: "lftp", name: "lftp, FileZilla", group: "Command line", steps: ({ at, person }) => [
    at.ftp && { say: "FTP:", command: `lftp -u ${person.login} -p ${at.ftp.port} ${at.ftp.host}` },
    at.sftp && { say: "SFTP:", command: `sftp -P ${at.sftp.port} ${person.login}@${at.sftp.host}` },
    at.ftp && { say: "In FileZilla’s site manager:", settings: [["Host", at.ftp.host], ["Port", at.ftp.port], ["Encryption", "explicit FTP over TLS if available"], ["User", person.login]] } ] },
  { id: "python", name: "Python", group: "Programs of your own", steps: ({ at, person }) => [
    at.http && { say: "With requests or urllib:", command: `http_proxy=http://${where(at.http)} python3 -c "import urllib.request; print(urllib.request.urlopen('http://www.example.com/').status)"` },
    { say: "So that https:// verifies:", command: "export SSL_CERT_FILE=\"$(sandbox ca --path)\" REQUESTS_CA_BUNDLE=\"$(sandbox ca --path)\"" },
    at.submission && { say: "Mail by smtplib:", command: `python3 -c "import smtplib; s = smtplib.SMTP('${at.submission.host}', ${at.submission.port}); s.starttls(); s.login('${person.login}', 'PASSWORD'); print(s.noop())"` } ] },
  { id: "node", name: "Node.js", group: "Programs of your own", steps: ({ at }) => [
    { say: "So that https:// verifies:", command: "export NODE_EXTRA_CA_CERTS=\"$(sandbox ca --path)\"" },
    at.http && { say: "Newer versions take a proxy from the environment:", command: `NODE_USE_ENV_PROXY=1 http_proxy=http://${where(at.http)} node -e "fetch('http://www.example.com/').then(r => console.log(r.status))"` } ] },
  { id: "java", name: "Java", group: "Programs of your own", steps: ({ at }) => [
    at.http && { say: "A proxy for every URL:", command: `java -Dhttp.proxyHost=${at.http.host} -Dhttp.proxyPort=${at.http.port} Main` },
    { say: "A trust store with the authority in it:", command: "sandbox ca --for java" } ] },
  { id: "android", name: "Android", group: "Telephones", steps: (about) => [
    "The sandbox has to listen where the telephone can reach it: sandbox up --bind 0.0.0.0 (in a network you trust).",
    { say: "Wi-Fi, this network, Proxy, Proxy auto-config:", settings: [["PAC web address", pac(about)]] },
    "For https://, download the DER file and install it under Security, Encryption and credentials, CA certificate. Apps may still refuse it; the browser does not." ] },
  { id: "ios", name: "iPhone, iPad", group: "Telephones", steps: (about) => [
    "The sandbox has to listen where the telephone can reach it: sandbox up --bind 0.0.0.0 (in a network you trust).",
    { say: "Settings, Wi-Fi, this network, Configure proxy, Automatic:", settings: [["URL", pac(about)]] },
    "For https://, open the DER file, install the profile, and switch it on under General, About, Certificate Trust Settings." ] },
];
