// Inside WeChat or Alipay, hands the signed fields over to the app. Everywhere else the page only
// says where to go. What the app answers proves nothing: the server asks the gateway.
(function () {
  "use strict";
  const root = document.querySelector("[data-inapp]");
  if (!root) return;
  const { bridge, fields } = root.dataset;
  const button = root.querySelector("[data-inapp-pay]");
  const failed = root.querySelector("[data-inapp-failed]");

  function ended(paid) {
    button.disabled = false;
    if (paid) {
      document.querySelector("[data-confirm]").requestSubmit();
    } else {
      failed.hidden = false;
    }
  }

  // WeChat: pay.weixin.qq.com/doc/v3/merchant/4012791857 (JSAPI). Alipay: jsapi:tradePay, where
  // 8000 and 6004 mean that the outcome is not known yet.
  const apps = {
    wechat: {
      object: "WeixinJSBridge",
      ready: "WeixinJSBridgeReady",
      pay: function (them, what) {
        them.invoke("getBrandWCPayRequest", what, function (answer) {
          ended(answer.err_msg === "get_brand_wcpay_request:ok");
        });
      },
    },
    alipay: {
      object: "AlipayJSBridge",
      ready: "AlipayJSBridgeReady",
      pay: function (them, what) {
        them.call("tradePay", what, function (answer) {
          ended(["9000", "8000", "6004"].includes(String(answer.resultCode)));
        });
      },
    },
  };
  const app = apps[bridge];
  if (!app) return;

  function offer() {
    button.hidden = false;
  }

  button.addEventListener("click", function () {
    button.disabled = true;
    failed.hidden = true;
    app.pay(window[app.object], JSON.parse(fields));
  });
  if (window[app.object]) {
    offer();
  } else {
    document.addEventListener(app.ready, offer, { once: true });
  }
})();
