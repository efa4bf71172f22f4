import type { incidents as english } from "../en/incidents";
import type { Texts } from "../texts";

export const incidents: Texts<typeof english> = {
  incidentDetail: {
    fill_of_refused_order: "체결 {{execution}}, 주문 상태: {{status}}.",
    late_fill: "체결 {{execution}}, 주문 상태: {{status}}.",
    unresolved_order_absent:
      "브로커에 {{symbol}} 주문을 {{tries}}번 물었고 전체 내역에 없었습니다. 브로커에서 확인한 뒤 주문이 있는지 알려 주세요.",
    unresolved_order_unclear:
      "브로커에 {{symbol}} 주문을 {{tries}}번 물었지만 알 수 없거나 답이 서로 맞지 않습니다. 브로커에서 확인한 뒤 주문이 있는지 알려 주세요.",
    external_order_market:
      "여기서 내지 않은 주문: {{symbol}} {{quantity}}주 시장가 {{side}}, 브로커 번호 {{number}}.",
    external_order_limit:
      "여기서 내지 않은 주문: {{symbol}} {{quantity}}주 지정가 {{side}}, 브로커 번호 {{number}}.",
    unknown_order_unknown: "브로커도 알지 못하는 주문에 대한 통보입니다.",
    unknown_order_unwritable:
      "브로커의 주문을 기록할 수 없습니다: {{symbol}} {{quantity}}주 {{side}} ({{status}}).",
    order_missing: "여기: {{ours}}. 브로커: {{theirs}}.",
    order_differs: "{{difference}}. 여기: {{ours}}. 브로커: {{theirs}}.",
    broker_difference_booked:
      "{{commodity}} {{amount}}: 여기 {{ours}}, 브로커 {{theirs}}. 차이를 장부에 기록했습니다.",
    broker_difference_refused:
      "{{commodity}} {{amount}}: 여기 {{ours}}, 브로커 {{theirs}}. 장부가 이 차이를 받아들이지 않아 기록하지 않았습니다.",
    broker_difference_too_large:
      "{{commodity}} {{amount}}: 여기 {{ours}}, 브로커 {{theirs}}. 차이가 너무 커서 저절로 기록하지 않습니다.",
    key_missing: "{{broker}}, {{day}} 장 시작 전 (개장 {{opens}}).",
    key_wrong: "{{broker}}, {{day}} 장 시작 전 (개장 {{opens}}).",
    key_expired: "{{broker}}, {{day}} 장 시작 전 (개장 {{opens}}).",
    key_revoked: "{{broker}}, {{day}} 장 시작 전 (개장 {{opens}}).",
    margin_call: "자기 자금 {{equity}}, 유지 필요 금액 {{needed}}. 입금하거나 포지션을 줄이세요.",
    margin_call_due:
      "자기 자금 {{equity}}, 유지 필요 금액 {{needed}}. 입금하거나 포지션을 줄이세요. {{due}}부터 반대매매됩니다.",
    margin_reduction: "{{since}}의 추가 납입 요구에 제때 응답이 없었습니다. 시장가 처리: {{closes}}.",
    name_blocked: "{{old}} → {{new}} 종목 변경: 한쪽은 보유, 다른 쪽은 공매도 상태입니다.",
    account_changed: "다른 계좌의 내역은 기록하지 않으며 주문도 보내지 않습니다.",
    unknown_activity: "브로커 내역: {{activity}}. 현금은 차이로 기록했습니다.",
    shares_activity: "브로커 내역: {{activity}}. 주식 수가 다르면 원가 없이 기록합니다.",
    shares_activity_no_split:
      "브로커 내역: {{activity}}. 보유 수량과 맞지 않아 분할로 기록하지 않았습니다. 주식 수가 다르면 원가 없이 기록합니다.",
    unbooked_activity_in_vain: "브로커 내역: {{activity}}. 기록에 실패했습니다. 이유는 서버 로그에 있습니다.",
    unbooked_activity_stranger: "브로커 내역: {{activity}}. 이 서버의 계좌가 아닙니다.",
    unbooked_activity_refused: "브로커 내역: {{activity}}. 장부가 이 금액을 받아들이지 않습니다.",
    overfill: "{{ordered}}주 주문이 {{filled}}주 체결되었습니다.",
    leg_refused: "{{leg}}: {{rules}}",
    oversold: "{{symbol}}: 보유 수량보다 많이 매도되었습니다.",
    trade_canceled: "체결 {{execution}}은(는) 더 이상 유효하지 않습니다.",
    trade_corrected: "체결 {{execution}}: {{quantity}}주, {{price}}(으)로 정정되었습니다.",
    illegal_transition_event: "통보: {{event}}. 주문 상태: {{status}}.",
    illegal_transition_execution: "체결 {{execution}}, 주문 상태: {{status}}.",
    unreadable_report_text: "문제: {{reason}}",
    unreadable_report_prices: "정정 {{replace}}의 가격이 주문 유형과 맞지 않습니다.",
    unappliable_report: "건너뛰었습니다. 이유는 서버 로그에 있습니다.",
    unasked_replace: "브로커의 정정 번호: {{replace}}.",
    wrong_account: "기록하지 않았습니다.",
  },
  incidentPart: {
    buy: "매수",
    sell: "매도",
    sold: "{{list}} 매도",
    bought: "{{list}} 되사기",
    shares: "{{shares}}주",
    undone: "{{activity}} (취소)",
    absent: "없음",
    unknown: "알 수 없음",
    quantity: "{{quantity}}주",
    limit: "지정가 {{price}}",
    stop: "스톱 {{price}}",
    trail: "추적 {{price}}",
    execution: "{{price}}에 {{quantity}}주",
    lastPrice: "마지막 가격 {{price}}",
    asked: "{{terms}} (요청)",
  },
  orderStatus: {
    created: "심사 중",
    pending_new: "전송 중",
    new: "접수됨",
    partially_filled: "일부 체결",
    suspended: "정지됨",
    done_for_day: "오늘 마감",
    denied: "여기서 거부됨",
    rejected: "브로커가 거부함",
    filled: "체결됨",
    canceled: "취소됨",
    expired: "만료됨",
    replaced: "대체됨",
  },
  comparisonFailure: {
    unreachable: "브로커에 연결할 수 없습니다.",
    conflict: "브로커의 답이 여기의 기록과 맞지 않습니다.",
    other_account: "브로커가 개설된 계좌가 아닌 다른 계좌를 알려 왔습니다.",
    behind: "브로커의 통보가 제때 기록되지 않았습니다.",
    internal: "서버가 처리하지 못했습니다. 이유는 서버 로그에 있습니다.",
  },
};
