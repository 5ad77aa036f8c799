package sample

import "fmt"

func purchaseOrder(number string) []string {
	return []string{
		"BEG*00*SA*" + number + "**20261105",
		"REF*DP*0420",
		"DTM*010*20261112",
		"N1*ST*Distribution Center 7*92*0007",
		"N3*4100 Harbor Boulevard",
		"N4*Oakland*CA*94607*US",
		"PO1*1*144*CA*18.40**UP*008812200017*VN*AC-1001",
		"PID*F****Rolled oats, organic, 12 x 500 g",
		"PO1*2*96*CA*22.75**UP*008812200024*VN*AC-1014",
		"PID*F****Buckwheat flour, stone ground, 10 x 1 kg",
		"PO1*3*60*CA*31.20**UP*008812200031*VN*AC-1020",
		"PID*F****Maple granola, 8 x 400 g",
		"CTT*3*300",
	}
}

func brokenOrder(number string) []string {
	return []string{
		"BEG*QQ*SA*" + number + "**20261105",
		"REF*IA*55120",
		"DTM*002*20261120",
		"N1*BT*Bluegate Stores*9*6123410007",
		"N1*ST*Bluegate Returns and Seasonal*92*0311",
		"N3*Dock 4*1200 Mill Street",
		"N4*Dayton*OH*45402 *US",
		"PO1*1*12O*EA*4.15**UP*008812200017",
		"PID*F****Rolled oats, organic, 500 g",
		"DTM*002*20261131",
	}
}

func despatch(order, shipment string) []string {
	return []string{
		"BSN*00*" + shipment + "*20261105*1141*0001",
		"HL*1**S",
		"TD1*CTN25*12****G*1840*LB",
		"TD5**2*ALDR*M*Alder Creek Fleet",
		"REF*BM*BOL-" + shipment[3:],
		"DTM*011*20261105",
		"N1*ST*Distribution Center 7",
		"HL*2*1*O",
		"PRF*" + order,
		"HL*3*2*P",
		"MAN*GM*00100881220000178805",
		"HL*4*3*I",
		"LIN*1*UP*008812200017*VN*AC-1001",
		"SN1*1*144*CA",
		"CTT*4",
	}
}

func invoice(order, number string) []string {
	return []string{
		"BIG*20261105*" + number + "**" + order,
		"N1*RE*Alder Creek Foods*92*AC",
		"N1*BT*Accounts Payable",
		"ITD*01*3*2**10**30",
		"IT1*1*144*CA*18.40**UP*008812200017",
		"TDS*264960",
		"CTT*1",
	}
}

func shippingOrder(number string) []string {
	return []string{
		"W05*N*" + number,
		"N1*ST*Kestrel Markets DC 7*92*0007",
		"N4*Oakland*CA*94607",
		"G62*10*20261106",
		"LX*1",
		"W01*144*CA*008812200017*VN*AC-1001",
		"W76*144*1840*LB",
	}
}

func edifactOrder(number string) []string {
	return []string{
		fmt.Sprintf("BGM+220+%s+9", number),
		"DTM+137:20261105:102",
		"DTM+2:20261118:102",
		"NAD+BY+7080000123455::9",
		"NAD+SU+7080003300011::9",
		"LIN+1++7038010001234:EN",
		"QTY+21:48",
		"PRI+AAA:212.50",
		"UNS+S",
		"CNT+2:1",
	}
}
